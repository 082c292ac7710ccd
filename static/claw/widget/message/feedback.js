import { make } from "../dom/elements.js";

/** @import {Strings} from "../locales/strings.js" */

/** As much as the server takes, in characters. */
const LONGEST = 2000;

/**
 * A line in which whoever has rated an answer may say why.
 * @param {Strings} strings @param {"up" | "down"} rating @param {(comment: string) => void} onComment
 */
export function whyForm(strings, rating, onComment) {
  const label = rating === "up" ? strings.whyGood : strings.whyBad;
  const attributes = { "aria-label": label, placeholder: label, maxlength: LONGEST, dir: "auto" };
  const input = /** @type {HTMLInputElement} */ (make("input", attributes));
  const form = make("form", { class: "why" }, input, make("button", { type: "submit" }, strings.send));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const comment = input.value.trim();
    if (comment) onComment(comment);
  });
  return form;
}
