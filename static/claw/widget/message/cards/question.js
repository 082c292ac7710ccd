import { make } from "../../dom/elements.js";
import { actButton, Ask } from "./ask.js";
import { Fields } from "./fields.js";

/** @import {Strings} from "../../locales/strings.js" */
/** @import {Pending} from "../../../types.js" */
/** @import {Desk} from "./cards.js" */

/** As much as the server takes, in characters. */
const LONGEST_ANSWER = 4000;

/** A question of the agent: a button for each choice, the fields of a form, or a line to write in. */
export class QuestionCard extends Ask {
  #desk;

  /** @param {Strings} strings @param {Pending} call @param {Pick<Desk, "answer" | "decline">} desk */
  constructor(strings, call, desk) {
    super(strings, call, call.text ?? "");
    this.#desk = desk;
    if (call.choices?.length) this.form.append(this.#choices(call.choices));
    else if (call.schema) this.form.append(this.#fields(call.schema));
    else this.form.append(this.#line());
  }

  /** @param {string[]} choices */
  #choices(choices) {
    const buttons = choices.map((choice) => actButton(choice, () => this.#say(choice)));
    return make("div", { class: "buttons" }, ...buttons, this.#skip());
  }

  #skip() {
    const { skip, skipped } = this.strings.cards;
    return actButton(skip, () => void this.decide(() => this.#desk.decline(this.call.id), skipped), "skip");
  }

  /** @param {unknown} schema */
  #fields(schema) {
    const fields = new Fields(schema);
    const buttons = make("div", { class: "buttons" }, make("button", { type: "submit", class: "primary" }, this.strings.send), this.#skip());
    const form = make("form", {}, fields.element, buttons);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#say(JSON.stringify(fields.value));
    });
    return form;
  }

  #line() {
    const label = this.strings.cards.answer;
    const attributes = { "aria-label": label, placeholder: label, maxlength: LONGEST_ANSWER, dir: "auto" };
    const input = /** @type {HTMLInputElement} */ (make("input", attributes));
    const form = make("form", { class: "line" }, input, make("button", { type: "submit", class: "primary" }, this.strings.send), this.#skip());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (input.value.trim()) this.#say(input.value.trim());
    });
    return form;
  }

  /** @param {string} text */
  #say(text) {
    void this.decide(() => this.#desk.answer(this.call.id, text), this.strings.cards.answered.replace("{answer}", () => text));
  }
}
