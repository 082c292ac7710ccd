// Markdown that grows at its end. Blocks that are complete are committed and never looked at again;
// only the open end is read anew, and what stands is touched only where it changes. Everything
// becomes elements and text nodes, never HTML.

import { block } from "./blocks.js";
import { advance, grow, innermost, rest } from "./growing.js";
import { lex } from "./lexer.js";
import { showNotes } from "./notes.js";
import { patchChildren } from "./patch.js";
import { giveUp } from "./references.js";
import { undecided } from "./undecided.js";
import { Unresolved } from "./unresolved.js";

/** @typedef {import("./blocks.js").Labels} Labels */
/** @typedef {import("./growing.js").Growing} Growing */
/** @typedef {import("./lexer.js").Links} Links */
/** @typedef {import("./lexer.js").Token} Token */

/** So many characters are read at once: a piece of a megabyte costs what its parts cost. */
const SLICE = 16_000;
/** An open end that is long is read again after it has grown by this share: in all, linear. */
const GROWTH = 1 / 32;
/** An open end is long from so many characters on. */
const LONG = 8000;
/** @type {Labels} */
const LABELS = {
  copy: "Copy",
  alerts: { note: "Note", tip: "Tip", important: "Important", warning: "Warning", caution: "Caution" },
};

/** One growing text. */
export class Markdown {
  #root;
  #labels;
  #onCode;
  /** The source that has not been committed. */
  #source = "";
  /** The rest of the source that may be half of a character or of a line end. */
  #half = "";
  /** How long the open end is when it is read again. */
  #due = 0;
  /** The last block that is committed. @type {HTMLElement | null} */
  #last = null;
  /** The block after them, if a part of it is committed. @type {Growing | null} */
  #growing = null;
  /** @type {Links} */
  #links = Object.create(null);
  #unresolved = new Unresolved();
  /** @type {Map<string, Token[]>} */
  #notes = new Map();

  /**
   * @param {Element} root where the text grows
   * @param {{labels?: Labels, onCode?: (block: HTMLElement) => void}} [options] the texts of a code
   *   block's button (`data-action="copy-code"`) and of alerts, and who is told of complete code blocks
   */
  constructor(root, { labels = LABELS, onCode = () => {} } = {}) {
    this.#root = root;
    this.#labels = labels;
    this.#onCode = onCode;
  }

  /** Add the next piece of the text, wherever it is cut. @param {string} text */
  write(text) {
    const whole = this.#half + text;
    this.#half = /[\r\ud800-\udbff]$/.exec(whole)?.[0] ?? "";
    const lines = whole.slice(0, whole.length - this.#half.length).replace(/\r\n?/g, "\n");
    for (let at = 0; at < lines.length; at += SLICE) {
      this.#source += lines.slice(at, at + SLICE);
      if (this.#source.length < this.#due) continue;
      this.#render(false);
      this.#due = this.#source.length < LONG ? 0 : this.#source.length * (1 + GROWTH);
    }
  }

  /** The text is over: what was held back in the hope of more is shown. */
  end() {
    this.#source += this.#half.replace("\r", "\n");
    this.#half = "";
    this.#render(true);
    giveUp(this.#root);
    showNotes(this.#root, this.#notes, this.#labels);
  }

  /** @param {boolean} final */
  #render(final) {
    const { head = "" } = this.#growing ?? {};
    const end = final ? this.#source.length : undecided(this.#source, innermost(this.#growing)?.kind === "code");
    const tokens = lex(head + this.#source.slice(0, end), this.#links, final);
    const elements = this.#show(tokens);
    this.#commit(tokens, elements, final ? tokens.length : firstOpen(tokens));
  }

  /** Show the open end. @param {Token[]} tokens @returns {(HTMLElement | null)[]} what each of them is */
  #show(tokens) {
    const grown = !!this.#growing && tokens.length > 0 && grow(this.#growing, tokens[0], this.#labels);
    if (this.#growing && tokens.length && !grown) this.#leave();
    const made = (grown ? tokens.slice(1) : tokens).map((token) => block(token, this.#labels));
    patchChildren(this.#root, this.#growing?.element ?? this.#last, made.filter((element) => element !== null));
    let next = this.#last ? this.#last.nextSibling : this.#root.firstChild;
    return (grown ? [this.#root, ...made] : made).map((element) => {
      if (!element) return null;
      const standing = /** @type {HTMLElement} */ (next);
      next = standing.nextSibling;
      return standing;
    });
  }

  /**
   * The blocks before an index are complete; of the next one perhaps a part.
   * @param {Token[]} tokens @param {(HTMLElement | null)[]} elements @param {number} count
   */
  #commit(tokens, elements, count) {
    const links = Object.keys(this.#links).length;
    let read = count ? -(this.#growing?.head.length ?? 0) : 0;
    for (let i = 0; i < count; i += 1) {
      read += tokens[i].raw.length;
      this.#complete(tokens[i], elements[i]);
    }
    const element = elements[count];
    const step = element && advance(this.#growing, tokens[count], element);
    if (step) {
      read += step.read - (count ? 0 : (this.#growing?.head.length ?? 0));
      this.#growing = step.growing;
      for (const each of step.done) collect(each, this.#links, this.#notes);
      for (const part of step.parts) this.#settle(part);
    }
    this.#source = this.#source.slice(read);
    if (Object.keys(this.#links).length === links) return;
    for (const changed of this.#unresolved.resolve(this.#links, this.#labels)) this.#tell(changed);
  }

  /** @param {Token} token @param {HTMLElement | null} element */
  #complete(token, element) {
    collect(token, this.#links, this.#notes);
    if (!element) return;
    if (this.#growing) for (const part of rest(this.#growing, token)) this.#settle(part);
    if (this.#growing?.kind === "code") this.#onCode(element);
    if (!this.#growing) this.#settle({ element, source: token.raw });
    this.#growing = null;
    this.#last = element;
  }

  /** A block that grew was none after all. */
  #leave() {
    this.#last = this.#growing?.element ?? null;
    this.#growing = null;
  }

  /** @param {import("./growing.js").Part} part */
  #settle(part) {
    this.#unresolved.add(part);
    this.#tell(part.element);
  }

  /** @param {Element} element */
  #tell(element) {
    const figures = element.matches("figure.code") ? [element] : element.querySelectorAll("figure.code");
    for (const figure of figures) this.#onCode(/** @type {HTMLElement} */ (figure));
  }
}

/** The first block that may still change: the last one, and a definition before it, whose title may follow. @param {Token[]} tokens */
function firstOpen(tokens) {
  let first = tokens.findLastIndex(({ type }) => type !== "space");
  while (first > 0 && (tokens[first - 1].type === "def" || tokens[first - 1].type === "footnote")) first -= 1;
  return Math.max(first, 0);
}

/**
 * The definitions in a block: the first definition of a label counts.
 * @param {Token} token @param {Links} links @param {Map<string, Token[]>} notes
 */
function collect(token, links, notes) {
  if (token.type === "def") links[token.tag] ??= { href: token.href, title: token.title };
  if (token.type === "footnote" && !notes.has(token.label)) notes.set(token.label, token.tokens ?? []);
  for (const each of token.items ?? token.tokens ?? []) collect(each, links, notes);
}
