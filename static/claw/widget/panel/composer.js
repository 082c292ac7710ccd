import { icon, iconButton, make } from "../dom/elements.js";

/** @import {Strings} from "../locales/strings.js" */

/** The longest draft that is worth keeping, in characters. */
const LONGEST_DRAFT = 30_000;

/** Where one writes with fingers, Enter breaks the line: there is no Shift+Enter, and a button to send. */
const TOUCH = matchMedia("(hover: none) and (pointer: coarse)");

/**
 * Where one writes. Enter sends, Shift+Enter breaks the line; while an answer comes the button
 * stops it, and where the agent takes words meanwhile they are sent by Enter or a second button.
 * The draft is kept as it is typed.
 */
export class Composer {
  /** Where one writes. */
  input;
  #onSend;
  #onDraft;
  #strings;
  #button;
  #note;
  #busy = false;
  #joins = false;
  #join;
  /** @type {string | undefined} */
  #replaces;
  /** The draft, while a message is edited in its place. */
  #kept = "";
  /** The draft of which nobody need be told. */
  #known;

  /**
   * @param {Strings} strings
   * @param {{draft: string, onSend: (text: string, replaces?: string) => boolean, onDraft: (text: string) => void}} options
   *   `onSend` says whether the message was taken
   */
  constructor(strings, { draft, onSend, onDraft }) {
    this.#strings = strings;
    this.#onSend = onSend;
    this.#onDraft = onDraft;
    const input = { rows: 1, placeholder: strings.placeholder, "aria-label": strings.message, dir: "auto", enterkeyhint: TOUCH.matches ? "enter" : "send" };
    this.input = /** @type {HTMLTextAreaElement} */ (make("textarea", input));
    this.input.value = this.#known = draft;
    this.#button = /** @type {HTMLButtonElement} */ (make("button", { type: "submit", class: "send" }, icon("send")));
    const cancel = iconButton("cancel-edit", strings.cancel, "close");
    this.#note = make("p", { class: "editing", hidden: true }, make("span", {}, strings.editing), cancel);
    this.#join = /** @type {HTMLButtonElement} */ (make("button", { type: "submit", class: "join", hidden: true }, icon("send"), strings.join));
    const field = make("div", { class: "field" }, this.input, this.#join, this.#button);
    this.element = make("form", { class: "composer" }, this.#note, field);
    this.element.addEventListener("submit", this.#submit);
    // A pressed button does not take the focus: a keyboard on the screen would go.
    for (const button of [this.#button, this.#join]) button.addEventListener("mousedown", (event) => event.preventDefault());
    this.input.addEventListener("keydown", this.#key);
    this.input.addEventListener("input", this.#changed);
    this.#show();
  }

  /** The text that is written and not sent; not one that is only being edited. */
  get draft() {
    return this.#replaces ? this.#kept : this.input.value;
  }

  /** Whether a message is being edited. */
  get editing() {
    return !!this.#replaces;
  }

  /** Have a message written anew; the draft waits. @param {string} text @param {string} id */
  edit(text, id) {
    this.#kept = this.draft;
    this.fill(text, id);
  }

  /** Back to the draft. */
  back() {
    this.fill(this.#kept);
  }

  focus() {
    this.input.focus();
  }

  /** As `focus`, but where that would bring up a keyboard nobody has asked for. */
  offer() {
    if (!TOUCH.matches) this.focus();
  }

  /** Write for the visitor, who has done nothing yet: it is no draft of theirs. @param {string} text */
  suggest(text) {
    this.#known = text;
    this.fill(text);
  }

  /** Write in the visitor's place. @param {string} text @param {string} [replaces] a message that is edited */
  fill(text, replaces) {
    this.input.value = text;
    this.#replaces = replaces;
    if (!replaces) this.#kept = "";
    this.#note.hidden = !replaces;
    this.#changed();
  }

  /** Whether an answer is coming. @param {boolean} busy */
  set busy(busy) {
    if (busy === this.#busy) return;
    this.#busy = busy;
    this.#button.replaceChildren(icon(busy ? "stop" : "send"));
    const focused = this.#button.matches(":focus-visible");
    this.#show();
    if (focused && this.#button.disabled) this.focus();
  }

  /** Whether the agent takes words while it answers. @param {boolean} joins */
  set joins(joins) {
    this.#joins = joins;
    this.#show();
  }

  #submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    this.submit();
  };

  /** Send what is written, if there is anything; while an answer comes only what may join it. */
  submit() {
    const text = this.input.value.trim();
    if (!text || (this.#busy && !this.#mayJoin)) return;
    if (this.#onSend(text, this.#replaces)) this.back();
  }

  /** An edit takes the place of a message that is being answered: it waits. */
  get #mayJoin() {
    return this.#joins && !this.#replaces;
  }

  #key = (/** @type {KeyboardEvent} */ event) => {
    // While a word is being composed (Japanese, Chinese, ...), Enter belongs to the composing.
    if (event.key !== "Enter" || event.shiftKey || composing(event)) return;
    if (TOUCH.matches && !event.ctrlKey && !event.metaKey) return;
    this.#submit(event);
  };

  #changed = () => {
    const text = this.input.value;
    if (!this.#replaces && text !== this.#known && text.length <= LONGEST_DRAFT) {
      this.#known = text;
      this.#onDraft(text);
    }
    this.#show();
  };

  #show() {
    const { send, stop } = this.#strings;
    const label = this.#busy ? stop : send;
    this.#button.type = this.#busy ? "button" : "submit";
    this.#button.title = label;
    this.#button.setAttribute("aria-label", label);
    this.#button.toggleAttribute("data-action", this.#busy);
    if (this.#busy) this.#button.dataset.action = "stop";
    this.#button.disabled = !this.#busy && !this.input.value.trim();
    this.#join.hidden = !this.#busy || !this.#mayJoin || !this.input.value.trim();
    this.#grow();
  }

  /** As high as what is written, where the browser does not do that by itself. */
  #grow() {
    if (CSS.supports("field-sizing", "content")) return;
    this.input.style.blockSize = "auto";
    this.input.style.blockSize = `${this.input.scrollHeight}px`;
  }
}

/** Whether a key belongs to the composing of a word; Safari's last one does, and only its code says so. @param {KeyboardEvent} event */
function composing(event) {
  return event.isComposing || event.keyCode === 229;
}
