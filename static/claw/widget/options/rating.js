import { icon, make } from "../dom/elements.js";
import { OUTLINES } from "./icons.js";
import { addToMenu } from "./menu.js";

/** @import {Parts} from "./options.js" */

const STARS = [1, 2, 3, 4, 5];
/** As much as the server takes, in characters. */
const LONGEST = 2000;

/** How the visitor found a conversation: asked when they leave it for a new one, or want to say so. @param {Parts} parts */
export default function rating({ host, panel, visit, tell }) {
  const { strings, places } = panel;
  /** @type {HTMLElement | null} */
  let form = null;
  /** Those of which it was asked. @type {Set<string>} */
  const asked = new Set();
  const ask = () => {
    const id = visit.conversation?.id;
    if (!id || !visit.messages.some(({ role }) => role === "assistant")) return;
    asked.add(id);
    form?.remove();
    form = ratingForm(strings, async (rating, comment) => {
      if (!tell("claw:rating", { conversationId: id, rating, comment })) return;
      await visit.client.conversations.rate(id, rating, comment);
    });
    places.above.append(form);
    panel.notices.say(strings.rating.ask);
  };
  const left = () => {
    if (!asked.has(visit.conversation?.id ?? "")) ask();
  };
  host.addEventListener("claw:new", left);
  addToMenu(panel, { label: strings.rating.title, outline: OUTLINES.star, act: ask });
  return () => host.removeEventListener("claw:new", left);
}

/** @param {Parts["panel"]["strings"]} strings @param {(rating: number, comment: string) => Promise<void>} onRate */
function ratingForm(strings, onRate) {
  const { rating, send, dismiss } = strings;
  const stars = STARS.map((value) => {
    const input = make("input", { type: "radio", name: "rating", value, required: true });
    const label = rating.stars.replace("{count}", String(value));
    return make("label", { class: "star", title: label }, input, icon("star", OUTLINES.star), make("span", { class: "unseen" }, label));
  });
  const comment = make("input", { name: "comment", maxlength: LONGEST, dir: "auto", placeholder: rating.comment, "aria-label": rating.comment });
  const later = make("button", { type: "button" }, dismiss);
  const problem = make("p", { class: "problem", role: "alert" });
  const fields = make("fieldset", {}, make("legend", {}, rating.ask), make("div", { class: "stars" }, ...stars));
  const buttons = make("div", { class: "buttons" }, make("button", { type: "submit", class: "primary" }, send), later);
  const form = /** @type {HTMLFormElement} */ (make("form", { class: "rating" }, fields, comment, buttons, problem));
  later.addEventListener("click", () => form.remove());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const said = new FormData(form);
    try {
      await onRate(Number(said.get("rating")), String(said.get("comment")).trim());
      form.replaceChildren(make("p", { role: "status" }, strings.thanks), later);
    } catch (error) {
      problem.textContent = strings.sentence(/** @type {{code?: string}} */ (error).code ?? "other");
    }
  });
  return form;
}
