// Looks ahead in inline Markdown for two positions: up to which the text is settled, whatever
// follows, and where a long text can be cut in two.

import { isFormula } from "./math.js";
import { LONGEST_LABEL, LONGEST_SPAN, afterBracket, afterCode, afterTag, pairs } from "./spans.js";

/** A text is cut after so many characters, and at the latest after so many. */
const LONG = 500;
const LONGEST = 8000;

/** An opening mark is waited for so many characters; then it is shown, and taken back if it closes after all. */
const PATIENCE = 500;

const SPECIAL = /[\\`*_~<[!&]|\b(?:https?:\/\/|ftp:\/\/|www\.)/gi;
/** The characters that end a bare address beside a blank: the punctuation of Chinese and Japanese, and quotation marks. */
export const ADDRESS_END = /[\u2018-\u201f\u2026\u3000-\u303f\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65]/;
const ADDRESS = new RegExp(`(?:(?!${ADDRESS_END.source})[^\\s<])*`, "y");
const TRAILING = /[?!.,:;*_'"~()&]+$/;
const ENTITY = /^&(?:#?\w{0,31})?$/;
/** Only a paragraph can begin behind it. */
const BREAK = /\s(?=\p{L}|[*_]{1,2}[\p{L}\p{N}]|`[^`\s])/gu;
const SPACE = /\s/;
const PUNCTUATION = /[\p{P}\p{S}]/u;

/** @typedef {{mark: string, length: number, at: number, both: boolean}} Opener */

/**
 * @param {string} text
 * @param {(label: string) => boolean} known whether a link with this label is defined
 * @returns {{cut: number, settled: number}} `cut` is 0 for a text that is not too long
 */
export function scan(text, known) {
  return new Scan(text, known).run();
}

class Scan {
  #text;
  #known;
  /** Which brackets belong together. @type {Map<number, number> | null} */
  #pairs = null;
  /** @type {Opener[]} */
  #open = [];
  /** The next place between two words. */
  #break = -1;
  /** Up to here a part may go on that has begun and binds closer than emphasis. */
  #pending = 0;

  /** @param {string} text @param {(label: string) => boolean} known */
  constructor(text, known) {
    this.#text = text;
    this.#known = known;
  }

  run() {
    const text = this.#text;
    let at = 0;
    while (at < text.length) {
      SPECIAL.lastIndex = at;
      const found = SPECIAL.exec(text);
      const next = found ? found.index : text.length;
      const cut = this.#cut(at, next);
      if (cut) return { cut, settled: cut };
      if (!found) break;
      const after = this.#step(found[0], next);
      if (after === null) return { cut: 0, settled: Math.min(next, this.#held()) };
      at = after;
    }
    const half = /[\ud800-\udbff]$/.test(text) ? 1 : 0;
    return { cut: 0, settled: Math.min(text.length - half, this.#held()) };
  }

  /** A place to cut between two positions with nothing special between them; 0 if there is none. @param {number} from @param {number} to */
  #cut(from, to) {
    const first = Math.max(this.#open.length ? LONGEST : LONG, this.#pending);
    if (to <= first) return 0;
    const start = Math.max(from, first);
    if (this.#break < start) {
      BREAK.lastIndex = start;
      this.#break = BREAK.exec(this.#text)?.index ?? Infinity;
    }
    if (this.#break < to) return this.#break + 1;
    const last = Math.max(from, first, LONGEST * 2);
    if (to <= last) return 0;
    return /[\udc00-\udfff]/.test(this.#text[last]) ? last + 1 : last;
  }

  /** The position after something special, or null if that depends on what follows. @param {string} special @param {number} at */
  #step(special, at) {
    const text = this.#text;
    switch (special) {
      case "\\":
        return at + 1 < text.length ? this.#escape(at) : null;
      case "`":
        return this.#pass(afterCode(text, at), at, LONGEST_SPAN);
      case "<":
        return afterTag(text, at);
      case "&":
        return ENTITY.test(text.slice(at, at + 40)) ? null : at + 1;
      case "!":
        if (at + 1 === text.length) return null;
        return text[at + 1] === "[" ? this.#bracket(at + 1, at) : at + 1;
      case "[":
        return this.#bracket(at, at);
      case "*":
      case "_":
      case "~":
        return this.#emphasis(special, at);
    }
    return this.#address(at);
  }

  /** @param {number} at @param {number} begin where the link or the image begins */
  #bracket(at, begin) {
    this.#pairs ??= pairs(this.#text);
    return this.#pass(afterBracket(this.#text, at, this.#pairs.get(at), this.#known), begin, LONGEST_LABEL);
  }

  /** @param {number} at */
  #escape(at) {
    const close = { "(": "\\)", "[": "\\]" }[this.#text[at + 1]];
    if (!close) return at + 2;
    const end = this.#text.indexOf(close, at + 2);
    if (end < 0 || end - at > LONGEST_SPAN) return this.#pass(-1, at, LONGEST_SPAN, 2);
    return isFormula(this.#text.slice(at + 2, end)) ? end + 2 : at + 2;
  }

  /**
   * Go on behind a part that is whole; one that is still open (-1) is remembered.
   * @param {number | null} end @param {number} at @param {number} longest how long such a part can be
   */
  #pass(end, at, longest, length = 1) {
    if (end !== -1) return end;
    this.#pending = Math.max(this.#pending, at + longest);
    while (this.#text[at + length] === this.#text[at]) length += 1;
    this.#open.push({ mark: this.#text[at], length, at, both: false });
    return at + length;
  }

  /** A bare address: what ends it may be the sentence's. @param {number} at */
  #address(at) {
    ADDRESS.lastIndex = at;
    const [address] = /** @type {RegExpExecArray} */ (ADDRESS.exec(this.#text));
    const end = at + address.replace(TRAILING, "").length;
    if (at + address.length < this.#text.length) return Math.max(end, at + 1);
    if (end < this.#text.length) return null;
    return end;
  }

  /** A run of marks of emphasis, by the rules of CommonMark 6.2. @param {string} mark @param {number} at */
  #emphasis(mark, at) {
    const text = this.#text;
    let end = at + 1;
    while (text[end] === mark) end += 1;
    if (end === text.length) return null;
    const [before, after] = [text[at - 1] ?? " ", text[end]];
    const left = !SPACE.test(after) && (!PUNCTUATION.test(after) || SPACE.test(before) || PUNCTUATION.test(before));
    const right = !SPACE.test(before) && (!PUNCTUATION.test(before) || SPACE.test(after) || PUNCTUATION.test(after));
    const opens = left && (mark !== "_" || !right || PUNCTUATION.test(before));
    const closes = right && (mark !== "_" || !left || PUNCTUATION.test(after));
    let length = end - at;
    if (closes) length = this.#close(mark, length, opens);
    if (opens && length) this.#open.push({ mark, length, at, both: closes });
    return end;
  }

  /** How much of a closing run is left. @param {string} mark @param {number} length @param {boolean} opens */
  #close(mark, length, opens) {
    for (let i = this.#open.length - 1; i >= 0 && length; i -= 1) {
      const opener = this.#open[i];
      if (opener.mark !== mark) continue;
      const sum = opener.length + length;
      if ((opens || opener.both) && sum % 3 === 0 && (opener.length % 3 || length % 3)) continue;
      if (mark === "~" && opener.length !== length) continue;
      const used = Math.min(opener.length, length);
      opener.length -= used;
      length -= used;
      this.#open.splice(opener.length ? i + 1 : i);
    }
    return length;
  }

  /** From where on an opening mark holds the text back. */
  #held() {
    const { length } = this.#text;
    return this.#open.find(({ at }) => length - at <= PATIENCE)?.at ?? length;
  }
}
