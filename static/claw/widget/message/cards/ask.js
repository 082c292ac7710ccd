import { make } from "../../dom/elements.js";
import { nextFrame } from "../../dom/frame.js";
import { expiry } from "./expiry.js";

/** @import {ClawError} from "../../../client/errors.js" */
/** @import {Strings} from "../../locales/strings.js" */
/** @import {Pending} from "../../../types.js" */

/** Something that the agent needs of the reader. It is decided once, and then says how. */
export class Ask {
  #problem = make("p", { class: "problem", role: "alert" });
  #sent = false;
  /** How the reader has decided. */
  #verdict = "";

  /** @param {Strings} strings @param {Pending} call @param {string} title */
  constructor(strings, call, title) {
    this.strings = strings;
    this.call = call;
    this.form = make("div", { class: "form" });
    this.about = make("p", { class: "about" });
    if (call.expiresAt) this.about.append(expiry(strings, call.expiresAt));
    const heading = make("p", { class: "title", dir: "auto" }, title);
    const attributes = { class: "card ask", role: "group", "aria-label": title, tabindex: -1 };
    this.element = make("section", attributes, heading, this.form, this.#problem, this.about);
  }

  /** Send a decision, unless one is on its way. @param {() => Promise<unknown>} send @param {string} verdict how it is told */
  async decide(send, verdict) {
    if (this.#sent) return;
    this.#sent = true;
    this.#verdict = verdict;
    this.#show("");
    try {
      await send();
    } catch (error) {
      const { code } = /** @type {ClawError} */ (error);
      this.#sent = code === "already_decided";
      this.#verdict = "";
      this.#show(this.#sent ? this.strings.cards.decided : this.strings.sentence(code));
    }
  }

  /** Say that what was written cannot be sent. @param {string} text */
  complain(text) {
    this.#show(text);
  }

  /** Ends the question. @param {boolean} over whether the answer has ended, too */
  close(over) {
    const { decided, withdrawn } = this.strings.cards;
    const verdict = this.#verdict || (over ? withdrawn : decided);
    if (this.form.classList.contains("closed")) return;
    const focused = this.element.matches(":focus-within");
    this.form.classList.add("closed");
    this.form.replaceChildren(make("p", { dir: "auto" }, verdict));
    this.#problem.replaceChildren();
    this.about.remove();
    if (focused) this.element.focus();
  }

  /** @param {string} problem */
  #show(problem) {
    nextFrame(() => {
      this.#problem.textContent = problem;
      for (const button of this.form.querySelectorAll("button")) button.setAttribute("aria-disabled", String(this.#sent));
    });
  }
}

/** A button that does something at once. @param {string} label @param {() => void} act @param {string} [kind] */
export function actButton(label, act, kind) {
  const button = make("button", { type: "button", class: kind, dir: "auto" }, label);
  button.addEventListener("click", act);
  return button;
}
