import { make } from "../dom/elements.js";
import { nextFrame } from "../dom/frame.js";

const FENCE = /^\s*(?:```|~~~)/;
/** The end of a sentence, and of a line; not that of `3.` in a list or of an abbreviation in a word. */
const SENTENCE = /(?<!^\s*\d+)[.!?…][)"'”’]*\s|[。！？]|\n/gm;
/** So many spoken lines stay: enough for a screen reader that is behind. */
const KEPT = 30;

/**
 * Says a streaming answer to screen readers, in whole sentences. The log itself is silent: it would
 * be read token by token.
 */
export class Announcer {
  #region;
  #codeLabel;
  #text = "";
  #inCode = false;
  /** @type {string[]} */
  #unsaid = [];

  /** @param {Element} region a polite live region @param {string} codeLabel said in place of code */
  constructor(region, codeLabel) {
    this.#region = region;
    this.#codeLabel = codeLabel;
  }

  /** More of the answer's markdown; what is whole is said. @param {string} text */
  add(text) {
    this.#text += text;
    let end = 0;
    for (const found of this.#text.matchAll(SENTENCE)) end = found.index + found[0].length;
    if (!end) return;
    this.say(this.#plain(this.#text.slice(0, end)));
    this.#text = this.#text.slice(end);
  }

  /** The answer is over: the rest is said. */
  end() {
    this.say(this.#plain(this.#text));
    this.#text = "";
    this.#inCode = false;
  }

  /** Say a text. @param {string} text */
  say(text) {
    if (!text) return;
    this.#unsaid.push(text);
    nextFrame(this.#write);
  }

  #write = () => {
    for (const text of this.#unsaid.splice(0)) this.#region.append(make("p", {}, text));
    while (this.#region.childElementCount > KEPT) this.#region.firstElementChild?.remove();
  };

  /** As one reads it aloud: no syntax, no addresses, no code. @param {string} markdown */
  #plain(markdown) {
    const spoken = [];
    for (const line of markdown.split("\n")) {
      if (FENCE.test(line)) {
        this.#inCode = !this.#inCode;
        if (this.#inCode) spoken.push(`${this.#codeLabel}.`);
      } else if (!this.#inCode && !/^[\s|:*_-]*$/.test(line)) {
        spoken.push(plainLine(line));
      }
    }
    return spoken.join(" ").trim();
  }
}

/** @param {string} line */
function plainLine(line) {
  return line
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replace(/^\s*(#{1,6}|>|[-*+])\s+/, "")
    .replace(/[*`~]+|\b_+|_+\b/g, "")
    .replace(/\s*\|\s*/g, " ")
    .trim();
}
