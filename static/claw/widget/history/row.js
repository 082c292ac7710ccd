import { iconButton, make } from "../dom/elements.js";

/** @import {ConversationInfo} from "../../types.js" */
/** @import {Strings} from "../locales/strings.js" */

/**
 * @typedef {{onOpen: () => void, onRename: (title: string) => Promise<void>, onDelete: () => Promise<void>,
 *   onError: (error: unknown) => void}} RowOptions
 */

/** One conversation in the history, with the form in which it is renamed or deleted. */
export class Row {
  #strings;
  #locale;
  #options;
  #name = make("span", { class: "name", dir: "auto" });
  #time = make("time");
  #open = make("button", { type: "button" }, this.#name, this.#time);
  /** @type {HTMLElement | null} */
  #form = null;
  /** When something was last said in it. */
  when = new Date();
  title = "";

  /** @param {string} id @param {Strings} strings @param {string} locale @param {RowOptions} options */
  constructor(id, strings, locale, options) {
    this.id = id;
    this.#strings = strings;
    this.#locale = locale;
    this.#options = options;
    const rename = iconButton("rename", strings.rename, "edit");
    const remove = iconButton("delete", strings.delete, "trash");
    this.#open.dataset.action = "show";
    this.#open.addEventListener("click", options.onOpen);
    rename.addEventListener("click", () => this.#rename());
    remove.addEventListener("click", () => this.#ask());
    this.element = make("li", {}, this.#open, rename, remove);
    this.element.addEventListener("keydown", this.#key);
  }

  /** Whether the reader has a form of it open. */
  get busy() {
    return this.#form !== null;
  }

  /** Show it as the server has it. @param {ConversationInfo} info @param {boolean} current whether it is the open one */
  update({ title, lastMessageAt, createdAt }, current) {
    this.when = new Date(lastMessageAt ?? createdAt);
    this.#call(title || this.#strings.untitled);
    this.#time.setAttribute("datetime", this.when.toISOString());
    this.#time.title = this.when.toLocaleString(this.#locale);
    this.#time.textContent = this.when.toLocaleTimeString(this.#locale, { timeStyle: "short" });
    if (current) this.#open.setAttribute("aria-current", "true");
    else this.#open.removeAttribute("aria-current");
  }

  /** @param {string} title */
  #call(title) {
    this.title = title;
    this.#name.textContent = title;
  }

  #rename() {
    const input = /** @type {HTMLInputElement} */ (make("input", { "aria-label": this.#strings.rename, dir: "auto", maxlength: 200 }));
    input.value = this.title;
    this.#show([input], make("button", { type: "submit" }, this.#strings.save), async () => {
      const title = input.value.trim();
      if (title) {
        await this.#options.onRename(title);
        this.#call(title);
      }
      this.#close();
    });
    input.select();
  }

  #ask() {
    const question = make("p", {}, this.#strings.deleteAsk.replace("{title}", this.title));
    const button = make("button", { type: "submit", class: "danger" }, this.#strings.delete);
    this.#show([question], button, this.#options.onDelete);
  }

  /** @param {Node[]} parts @param {HTMLElement} button @param {() => Promise<void>} submit */
  #show(parts, button, submit) {
    this.#form?.remove();
    const cancel = make("button", { type: "button" }, this.#strings.cancel);
    cancel.addEventListener("click", () => this.#close());
    const form = make("form", {}, ...parts, button, cancel);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      submit().catch(this.#options.onError);
    });
    this.#form = form;
    this.element.append(form);
    /** @type {HTMLElement | null} */ (form.querySelector("input, button"))?.focus();
  }

  #close() {
    this.#form?.remove();
    this.#form = null;
    this.#open.focus();
  }

  #key = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Escape" || event.isComposing || !this.busy) return;
    event.stopPropagation();
    this.#close();
  };
}
