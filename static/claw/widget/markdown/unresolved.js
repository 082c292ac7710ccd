// Links may be defined after they are used: `[text][1]`, and `[1]: https://...` at the end.

import { block } from "./blocks.js";
import { lex } from "./lexer.js";
import { patch } from "./patch.js";

/** @typedef {import("./blocks.js").Labels} Labels */
/** @typedef {import("./growing.js").Part} Part */
/** @typedef {import("./lexer.js").Links} Links */

const BRACKETS = /\[[^\]^][^\]]*\]/;
/** So many parts of an answer wait for their definitions; the first ones are left as they are. */
const MOST = 1000;

/** The parts of an answer that may hold links that are not defined yet. */
export class Unresolved {
  /** @type {Part[]} */
  #parts = [];

  /** @param {Part} part */
  add(part) {
    if (!BRACKETS.test(part.source)) return;
    this.#parts.push(part);
    if (this.#parts.length > MOST) this.#parts.shift();
  }

  /** There are new definitions: make the links. @param {Links} links @param {Labels} labels @returns {Element[]} what was looked at */
  resolve(links, labels) {
    for (const { element, source } of this.#parts) {
      const [token] = lex(source, links, true).filter(({ type }) => type !== "space");
      const made = token && block(token, labels);
      const wanted = made && element.localName !== made.localName ? made.querySelector(`${element.localName}:not(thead *)`) : made;
      if (wanted) patch(element, wanted);
    }
    return this.#parts.map(({ element }) => element);
  }
}
