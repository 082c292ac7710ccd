// Markdown as its tokens: CommonMark and GFM by `marked`, with formulas and footnotes beside them.
// No token is ever turned into HTML; the elements are made in blocks.js and inline.js.

import { Lexer, Tokenizer } from "../../../vendor/marked-18.2.1.js";
import { footnoteBlock, footnoteMark } from "./footnotes.js";
import { mathBlock, mathMark, mathSpan, mathStart } from "./math.js";
import { reference } from "./references.js";
import { ADDRESS_END, scan } from "./scan.js";

/** @typedef {{type: string, raw: string, tokens?: Token[], [field: string]: any}} Token */
/** @typedef {Record<string, {href: string, title: string}>} Links what the text has defined, by label */

/** Quotations, lists and emphasis nest so deep at most: deeper is an attack on the call stack. */
const DEEPEST = 64;

/** A longer line is shown though it has bars in it. */
const LONGEST_ROW = 500;

/** Refuses to go deeper than `DEEPEST`; what is deeper stays as it was written. */
class Bounded extends Tokenizer {
  depth = 0;

  /** @override @param {string} source */
  url(source) {
    const end = source.search(ADDRESS_END);
    return super.url(end < 0 ? source : source.slice(0, end));
  }
}
/** @type {Record<string, any>} */
const methods = /** @type {any} */ (Tokenizer.prototype);
for (const name of ["blockquote", "list", "emStrong", "del", "link", "reflink"]) {
  const method = methods[name];
  Object.defineProperty(Bounded.prototype, name, {
    /** @this {Bounded} @param {...any} values */
    value(...values) {
      if (this.depth >= DEEPEST) return undefined;
      this.depth += 1;
      try {
        return method.apply(this, values);
      } finally {
        this.depth -= 1;
      }
    },
  });
}

/**
 * The blocks of some Markdown, without blank lines between them.
 * @param {string} source with `\n` as line ends
 * @param {Links} links definitions that came before
 * @param {boolean} complete whether nothing follows; else an end that may still change is left out
 * @returns {Token[]}
 */
export function lex(source, links, complete) {
  /** @type {any} */
  const lexer = new Lexer({
    gfm: true,
    breaks: true,
    tokenizer: new Bounded(),
    hooks: { emStrongMask: mathMark },
    extensions: {
      block: [mathBlock, footnoteBlock],
      startBlock: [mathStart],
      inline: [mathSpan, footnoteMark, reference],
      startInline: [start],
    },
  });
  lexer.tokens.links = Object.assign(Object.create(null), links);
  const tokens = lexer.blockTokens(source, []);
  const leaf = complete ? null : openLeaf(tokens, source);
  for (const { src, tokens: into } of lexer.inlineQueue) inline(lexer, src, into, into === leaf?.tokens);
  return tokens;
}

/** Where a formula may begin in plain text: that ends by itself at the other characters. @param {string} text */
function start(text) {
  const end = text.search(/[\\<![`*~_$]/);
  return text[end] === "$" ? end : -1;
}

/**
 * Long text is read in pieces: every piece costs what it is long, and no more.
 * @param {any} lexer @param {string} text @param {Token[]} into @param {boolean} open whether text may still follow
 */
function inline(lexer, text, into, open) {
  const known = (/** @type {string} */ label) => label.replace(/\s+/g, " ").toLowerCase() in lexer.tokens.links;
  let at = 0;
  for (;;) {
    const rest = text.slice(at);
    const { cut, settled } = scan(rest, known);
    if (!cut) {
      into.push(...lexer.inlineTokens(open ? rest.slice(0, Math.min(settled, beforeRow(rest))) : rest, []));
      return;
    }
    at += cut;
    into.push(...lexer.inlineTokens(rest.slice(0, cut), []), { type: "seam", raw: "", at });
  }
}

/** Where the names of a table may begin: the next line says whether they do. @param {string} text */
function beforeRow(text) {
  const line = text.lastIndexOf("\n") + 1;
  const cell = /^\s*\||(?<!\\)\|/.exec(text.slice(line));
  return cell && text.length - line < LONGEST_ROW ? line + cell.index : text.length;
}

/** The innermost block at the end, if its text may go on. @param {Token[]} tokens @param {string} source */
function openLeaf(tokens, source) {
  if (/\n[ \t>]*\n[ \t>]*$/.test(source)) return null;
  const last = tokens.at(-1);
  if (!last || (last.type === "heading" && source.endsWith("\n"))) return null;
  const inner = last.type === "list" ? last.items.at(-1).tokens : last.tokens;
  if (last.type === "list" || last.type === "blockquote" || last.type === "footnote") return openLeaf(inner ?? [], source);
  if (last.type === "table") return [...last.header, ...last.rows.flat()].findLast(({ text }) => text);
  return last;
}
