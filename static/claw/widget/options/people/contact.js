import { make } from "../../dom/elements.js";

/** @import {Hours} from "../../../types.js" */
/** @import {Parts} from "../options.js" */
/** @typedef {{name: string, email: string, message: string}} Said */

/** As much as a mail program takes in an address, in characters. */
const LONGEST = 1500;

/**
 * A message for the people behind the chat: the page may take it; else the server has it, whose
 * webhooks get it; where there are none, a mail program. What was written stays until it is sent.
 * @param {Parts} parts @param {Hours} hours
 */
export function contactForm({ panel, visit, tell }, { email }) {
  const strings = panel.strings.hours;
  const name = field("input", strings.name, { name: "name", autocomplete: "name" });
  const from = field("input", strings.email, { name: "email", type: "email", autocomplete: "email", required: true });
  const message = field("textarea", strings.message, { name: "message", rows: 3, required: true, maxlength: LONGEST });
  const button = /** @type {HTMLButtonElement} */ (make("button", { type: "submit" }, strings.send));
  const problem = make("p", { class: "problem", role: "alert" });
  const form = /** @type {HTMLFormElement} */ (make("form", {}, name, from, message, button, problem));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const said = /** @type {Said} */ (Object.fromEntries(new FormData(form)));
    button.disabled = true;
    try {
      if (tell("claw:contact", said)) await send(visit.client, said, email);
      const thanks = make("p", { role: "status", tabindex: -1 }, strings.thanks);
      form.replaceWith(thanks);
      thanks.focus();
    } catch (error) {
      const { code = "other" } = /** @type {{code?: string}} */ (error);
      tell("claw:error", { code, error });
      problem.textContent = panel.strings.sentence(code);
      button.disabled = false;
    }
  });
  return form;
}

/** Rejects with a ClawError. @param {Parts["visit"]["client"]} client @param {Said} said @param {string | undefined} email */
async function send(client, said, email) {
  try {
    await client.contact({ ...said, page: location.href.replace(/[?#].*/s, "").slice(0, 2000) });
  } catch (error) {
    if (/** @type {{code?: string}} */ (error).code !== "not_found" || !email) throw error;
    location.href = mail(email, said);
  }
}

/** @param {string} tag @param {string} label @param {Record<string, string | number | boolean>} attributes */
function field(tag, label, attributes) {
  return make("label", {}, label, make(tag, { dir: "auto", maxlength: 200, ...attributes }));
}

/** @param {string} email @param {Said} said */
function mail(email, { name, email: from, message }) {
  return `mailto:${email}?body=${encodeURIComponent(`${message}\n\n${name} ${from}`)}`;
}
