import { make } from "../../dom/elements.js";

/** @import {Strings} from "../../locales/strings.js" */

/** Characters of a value that are shown: more is no use to a reader, and slow to lay out. */
const MOST_SHOWN = 20_000;
/** Characters that change the direction of text or are invisible: they could make a value look like another one. */
const DECEPTIVE = /[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]/g;

/** A value as people read it: a text as it is, all else as JSON. @param {unknown} value */
export function readable(value) {
  const text = typeof value === "string" ? value : (JSON.stringify(value, null, 2) ?? "");
  return text.replace(DECEPTIVE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/**
 * A value under its name, in a box that scrolls.
 * @param {Strings} strings @param {string} label @param {unknown} value
 * @param {number} [most] characters of it: who approves something has to see all of it
 */
export function valueBox(strings, label, value, most = MOST_SHOWN) {
  const text = readable(value);
  const box = make("pre", { tabindex: 0, role: "group", "aria-label": label, dir: "ltr" }, text.slice(0, most));
  const part = make("div", { class: "value" }, make("p", {}, label), box);
  if (text.length > most) {
    const [shown, all] = [most, text.length].map((count) => count.toLocaleString(strings.lang));
    part.append(make("p", {}, strings.cards.cut.replace("{shown}", shown).replace("{all}", all)));
  }
  return part;
}

/** @param {Strings} strings @param {number} ms */
export function duration(strings, ms) {
  const [unit, value] = ms < 1000 ? ["millisecond", ms] : ms < 60_000 ? ["second", ms / 1000] : ["minute", ms / 60_000];
  const format = { style: /** @type {const} */ ("unit"), unit: `${unit}`, maximumFractionDigits: ms < 1000 ? 0 : 1 };
  return new Intl.NumberFormat(strings.lang, format).format(Number(value));
}
