import { make } from "./elements.js";
import { nextFrame } from "./frame.js";

/** @import {Strings} from "../locales/strings.js" */

/**
 * “Trying again in 12 seconds.”, as long as it is in the page and the moment has not come.
 * @param {Strings} strings @param {number} until milliseconds since 1970
 */
export function countdown(strings, until) {
  const element = make("span", { class: "countdown", "aria-live": "off" });
  const seconds = new Intl.NumberFormat(strings.lang, { style: "unit", unit: "second", unitDisplay: "long" });
  const write = () => {
    const left = Math.ceil((until - Date.now()) / 1000);
    element.textContent = left > 0 ? strings.tryingAgainIn.replace("{time}", seconds.format(left)) : strings.tryingAgain;
    if (left > 0) setTimeout(() => element.isConnected && nextFrame(write), 1000);
  };
  write();
  return element;
}
