import { make } from "../dom/elements.js";
import { adopt, sheet } from "../styles/sheet.js";

/** @import {Message} from "../../types.js" */
/** @import {Labels} from "../markdown/blocks.js" */
/** @typedef {{write(text: string): void, end(): void}} Writer */

/** So many characters are written at once, and again for so many milliseconds of a frame. */
const SLICE = 4000;
const BUDGET_MS = 8;
/** After a write that took longer, the next one waits so many times as long: the page stays usable. */
const REST = 2;

/** @type {typeof import("../markdown/markdown.js").Markdown | null} */
let Markdown = null;
/** @type {CSSStyleSheet | null} */
let style = null;
/** @type {Promise<void> | null} */
let loading = null;

/** Load the renderer of messages and their style, which a page needs with its first message. */
export function load() {
  loading ??= Promise.all([import("../markdown/markdown.js"), sheet("answers")]).then(([module, answers]) => {
    Markdown = module.Markdown;
    style = answers;
  });
  return loading;
}

/** The text of a message as it grows. */
export class Body {
  element;
  #role;
  #options;
  #shown = ""; // the text that stands there, or soon will
  #pending = "";
  /** @type {Writer | null} */
  #writer = null;
  #plain = false;
  #due = 0;
  #final = false;
  #ended = false;
  /** The block behind which the cursor stands. @type {Element | null} */
  #open = null;

  /**
   * @param {Message["role"]} role a user's message is shown as it was written
   * @param {{labels: Labels, onCode: (block: HTMLElement) => void, onReady: () => void}} options
   *   `onCode` is told of complete code blocks; `onReady` calls `draw` when the renderer is there
   */
  constructor(role, options) {
    this.#role = role;
    // The blocks of an answer have their own directions; to look for one of all would cost what all of it is long.
    this.element = make("div", { class: "body", dir: role === "user" ? "auto" : null });
    this.#options = options;
    load().catch((error) => {
      console.warn("Clawsite: answers stay plain text:", error);
      loading = null;
      this.#plain = true;
    }).finally(options.onReady);
  }

  /** Whether all of the text stands there, and its end, if it has one. */
  get complete() {
    return !this.#pending && (this.#ended || !this.#final);
  }

  /** More of the text has come. @param {string} text */
  append(text) {
    this.#shown += text;
    this.#pending += text;
  }

  /** The text may be another one. @param {string} text */
  set(text) {
    if (text === this.#shown) return;
    if (!text.startsWith(this.#shown)) {
      this.element.replaceChildren();
      this.#writer = null;
      this.#ended = false;
      this.#shown = this.#pending = "";
    }
    this.append(text.slice(this.#shown.length));
  }

  /** Write some of what waits; the last of it if no more will come. @param {boolean} final */
  draw(final) {
    this.#final = final;
    const writer = (this.#writer ??= this.#make());
    if (!writer) return;
    const start = performance.now();
    if (start < this.#due) return;
    while (this.#pending && performance.now() - start < BUDGET_MS) {
      const cut = /[\ud800-\udbff]/.test(this.#pending[SLICE - 1]) ? SLICE + 1 : SLICE; // not within a character
      writer.write(this.#pending.slice(0, cut));
      this.#pending = this.#pending.slice(cut);
    }
    if (final && !this.#pending && !this.#ended) {
      this.#ended = true;
      writer.end();
    }
    const took = performance.now() - start;
    if (took > BUDGET_MS) this.#due = start + took * (1 + REST);
  }

  /**
   * Show a cursor behind the last word, or none. The block is marked itself: a style that depends on
   * something around it would be looked up for every block when the answer ends.
   * @param {boolean} shown
   */
  point(shown) {
    const open = shown ? this.element.lastElementChild : null;
    if (open !== this.#open) this.#open?.classList.remove("open");
    open?.classList.add("open"); // again, as a block that is written anew has its own classes only
    this.#open = open;
  }

  /** @returns {Writer | null} */
  #make() {
    if (style) adopt(this.element, style);
    const plain = this.#plain || (style && this.#role === "user");
    if (plain) return { write: (text) => this.element.append(text), end: () => {} };
    return Markdown && new Markdown(this.element, this.#options);
  }
}
