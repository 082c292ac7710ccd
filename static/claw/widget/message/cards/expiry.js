import { make } from "../../dom/elements.js";
import { nextFrame } from "../../dom/frame.js";

/** @import {Strings} from "../../locales/strings.js" */

/** Seconds of a unit, the longest first. @type {[Intl.RelativeTimeFormatUnit, number][]} */
const UNITS = [["day", 86_400], ["hour", 3600], ["minute", 60], ["second", 1]];

/**
 * “Expires in 23 hours.”, as long as it is in the page.
 * @param {Strings} strings @param {string} expiresAt ISO 8601
 */
export function expiry({ lang, cards }, expiresAt) {
  const element = make("span", { "aria-live": "off", title: new Date(expiresAt).toLocaleString(lang) });
  const format = new Intl.RelativeTimeFormat(lang);
  const write = () => {
    const left = Math.ceil((Date.parse(expiresAt) - Date.now()) / 1000);
    const [unit, seconds] = UNITS.find(([, length]) => left >= length) ?? UNITS[3];
    const time = format.format(Math.round(left / seconds), unit);
    element.textContent = left > 0 ? cards.expires.replace("{time}", time) : cards.expired;
    const next = unit === "second" ? 1000 : 15_000;
    if (left > 0) setTimeout(() => element.isConnected && nextFrame(write), next);
  };
  write();
  return element;
}
