import { make } from "../../dom/elements.js";
import { OUTLINES } from "../icons.js";
import { addToMenu } from "../menu.js";

/** @import {Parts} from "../options.js" */

/** The conversation by mail, to the address that the visitor names. @param {Parts} parts */
export default function transcriptEmail({ panel, visit, tell }) {
  const { strings, places } = panel;
  /** @type {HTMLElement | null} */
  let form = null;
  const ask = () => {
    form?.remove();
    form = null;
    const id = visit.conversation?.id;
    if (!id || !visit.messages.length) return;
    form = addressForm(strings, async (email) => {
      try {
        await visit.client.conversations.mail(id, email);
      } catch (error) {
        tell("claw:error", { code: /** @type {{code?: string}} */ (error).code ?? "other", error });
        throw error;
      }
    });
    places.above.append(form);
    form.querySelector("input")?.focus();
  };
  addToMenu(panel, { label: strings.mail.title, outline: OUTLINES.mail, act: ask });
}

/** @param {Parts["panel"]["strings"]} strings @param {(email: string) => Promise<void>} onSend */
function addressForm(strings, onSend) {
  const attributes = { name: "email", type: "email", autocomplete: "email", required: true, maxlength: 200, dir: "ltr" };
  const input = /** @type {HTMLInputElement} */ (make("input", attributes));
  const send = /** @type {HTMLButtonElement} */ (make("button", { type: "submit", class: "primary" }, strings.send));
  const close = make("button", { type: "button" }, strings.dismiss);
  const problem = make("p", { class: "problem", role: "alert" });
  const label = make("label", {}, strings.mail.title, input);
  const form = make("form", { class: "rating" }, label, make("div", { class: "buttons" }, send, close), problem);
  close.addEventListener("click", () => form.remove());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    send.disabled = true;
    try {
      await onSend(input.value);
      const sent = make("p", { role: "status", tabindex: -1 }, strings.mail.sent.replace("{email}", () => input.value));
      form.replaceChildren(sent, close);
      sent.focus();
    } catch (error) {
      problem.textContent = strings.sentence(/** @type {{code?: string}} */ (error).code ?? "other");
      send.disabled = false;
    }
  });
  return form;
}
