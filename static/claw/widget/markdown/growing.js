// A block that is still open is committed in part: a list by its items, a table by its rows, code by
// its lines, a long paragraph by pieces, a quotation by what stands in it. A long answer costs no
// more for being one block.

import { block, blocks, opening } from "./blocks.js";
import { inline } from "./inline.js";
import { patchChildren, setText } from "./patch.js";
import { again } from "./quoted.js";

/** @typedef {import("./blocks.js").Labels} Labels */
/** @typedef {import("./lexer.js").Token} Token */
/**
 * @typedef {{kind: string, element: HTMLElement, head: string, last: ChildNode | null, length: number, inner?: Growing | null}} Growing
 *   `head` is read again before what follows; up to the item, row, block or node `last`, and in code
 *   up to `length` characters, the element is committed; `inner` is the block after `last` in a
 *   quotation, if a part of it is committed
 * @typedef {{element: Element, source: string}} Part something committed, and the source that makes it anew
 * @typedef {{head: string, read: number, length?: number, nodes?: number}} Step
 * @typedef {{growing: Growing, read: number, done: Token[], parts: Part[]}} Advance
 *   `read` is a position in the token's source; the tokens `done` are not read again
 */

/** Shown elsewhere, or not at all. */
const DEFINITIONS = new Set(["def", "footnote"]);
const SILENT = new Set(["space", ...DEFINITIONS]);

/** A paragraph is committed in part from so many characters on. */
const LONG = 2000;

/** Show what has come of a block that grows; false if this is another block. @param {Growing} growing @param {Token} token @param {Labels} labels */
export function grow(growing, token, labels) {
  const { kind, last, length } = growing;
  if (kind === "paragraph" && token.type === "heading") rename(growing, token.depth);
  else if (kind !== token.type) return false;
  const { element } = growing;
  if (kind === "blockquote") return growQuotation(growing, token, labels);
  if (kind === "paragraph") {
    patchChildren(element, last, inline(token.tokens ?? []));
  } else if (kind === "code") {
    setText(/** @type {Text} */ (element.querySelector("code")?.firstChild), length, token.text);
  } else {
    if (token.loose) element.className = "loose";
    patchChildren(container(element), last, [...container(block(token, labels)).children]);
  }
  return true;
}

/** @param {Growing} growing @param {Token} token @param {Labels} labels */
function growQuotation({ element, last, inner }, token, labels) {
  const tokens = content(token);
  if (inner) {
    if (tokens.length && !grow(inner, tokens[0], labels)) return false;
    patchChildren(element, inner.element, blocks(tokens.slice(1), labels));
  } else {
    patchChildren(element, last, blocks(tokens, labels));
  }
  return true;
}

/**
 * Commit what is complete of an open block, if anything is.
 * @param {Growing | null} growing how far it was, if it has grown before
 * @param {Token} token @param {HTMLElement} element
 * @returns {Advance | null}
 */
export function advance(growing, token, element) {
  if (token.type === "blockquote") return advanceQuotation(growing, token, element);
  const step = STEPS[token.type]?.(token);
  if (!step?.read) return null;
  const before = growing?.last ?? null;
  let last = before;
  if (step.nodes) {
    last ??= element.firstChild;
    for (let more = step.nodes - (before ? 0 : 1); more > 0; more -= 1) last = last?.nextSibling ?? last;
  } else if (!step.length) {
    last = container(element).lastChild?.previousSibling ?? null;
  }
  const length = (growing?.length ?? 0) + (step.length ?? 0);
  return {
    growing: { kind: token.type, element, head: step.head, last, length },
    read: step.read,
    done: (token.items ?? []).slice(0, -1),
    parts: parts(token, container(element), before, last),
  };
}

/** All blocks but the last are complete; of the last one perhaps a part. @param {Growing | null} growing @param {Token} token @param {HTMLElement} element @returns {Advance | null} */
function advanceQuotation(growing, token, element) {
  const { tokens = [] } = growing ? token : opening(token);
  const open = tokens.findLast(({ type }) => !SILENT.has(type));
  if (!open) return null;
  const done = tokens.slice(0, tokens.indexOf(open));
  if (DEFINITIONS.has(done.at(-1)?.type ?? "")) return null; // it may go on
  const shown = content({ ...token, tokens });
  const present = /** @type {HTMLElement | null} */ (shown.includes(open) ? element.lastElementChild : null);
  const only = !!present && shown.length === 1;
  const step = present && advance((only && growing?.inner) || null, open, present);
  const before = done.map(({ raw }) => raw).join("");
  const next = again(token.raw, token.text, before.length + (step?.read ?? 0), step?.growing.head ?? "");
  if (!next || !token.text.startsWith(before)) return null; // marked loses a line end of a list that goes on lazily
  const found = only ? [] : completed(growing, element, present, shown);
  const last = present ? present.previousElementSibling : element.lastElementChild;
  return {
    growing: { kind: "blockquote", element, head: next.head, last, length: 0, inner: step?.growing ?? null },
    read: next.read,
    done: [...done, ...(step?.done ?? [])],
    parts: [...found, ...(step?.parts ?? [])],
  };
}

/** The blocks of a quotation that have become complete. @param {Growing | null} growing @param {Element} element @param {Element | null} open @param {Token[]} tokens @returns {Part[]} */
function completed(growing, element, open, tokens) {
  const found = [];
  let each = growing?.last instanceof Element ? growing.last.nextElementSibling : element.firstElementChild;
  // The sources of an alert's blocks stand one further: its title has none.
  const sources = tokens.map(({ raw }) => raw);
  if (!growing && each?.matches(".title")) each = each.nextElementSibling;
  if (growing?.inner && each && each !== open) {
    found.push(...rest(growing.inner, tokens[0])); // what came before has been told
    sources.shift();
    each = each.nextElementSibling;
  }
  for (; each && each !== open; each = each.nextElementSibling) found.push({ element: each, source: sources.shift() ?? "" });
  return found;
}

/** The blocks of a quotation that show something. @param {Token} token */
function content({ tokens = [] }) {
  return tokens.filter(({ type, tokens: inside }) => !SILENT.has(type) && (type !== "paragraph" || inside?.length));
}

/** The innermost block of those that grow. @param {Growing | null} growing @returns {Growing | null} */
export function innermost(growing) {
  return growing?.inner ? innermost(growing.inner) : growing;
}

/** The parts that are committed with the rest of a block that has grown. @param {Growing} growing @param {Token} token @returns {Part[]} */
export function rest(growing, token) {
  const { element, last } = growing;
  if (growing.kind === "blockquote") return completed(growing, element, null, content(token));
  return parts(token, container(element), last, null);
}

/** @type {Record<string, (token: Token) => Step | null>} */
const STEPS = {
  list: ({ items }) => ({ head: "", read: items.slice(0, -1).reduce(sum, 0) }),

  table({ raw, rows }) {
    const head = /^[^\n]*\n[^\n]*\n/.exec(raw)?.[0] ?? "";
    return rows.length > 1 ? { head, read: raw.trimEnd().lastIndexOf("\n") + 1 } : null;
  },

  code({ raw }) {
    const head = /^(?:`{3,}|~{3,})[^\n]*\n/.exec(raw)?.[0];
    if (!head || isClosed(raw)) return null;
    const length = raw.slice(head.length).replace(/\n+$/, "").lastIndexOf("\n") + 1;
    return length ? { head, read: head.length + length, length } : null;
  },

  paragraph({ raw, text, tokens = [] }) {
    const seam = tokens.findLastIndex(({ type }) => type === "seam");
    if (seam < 0 || tokens[seam].at < LONG || !raw.startsWith(text)) return null;
    return { head: "", read: tokens[seam].at, nodes: inline(tokens.slice(0, seam)).length };
  },
};

/** @param {number} length @param {Token} token */
function sum(length, { raw }) {
  return length + raw.length;
}

/**
 * The items or rows after one of them, up to another one or the end, with their sources.
 * @param {Token} token @param {Element} parent @param {ChildNode | null} before @param {ChildNode | null} last @returns {Part[]}
 */
function parts(token, parent, before, last) {
  const sources = token.type === "list" ? token.items.map((/** @type {Token} */ { raw }) => raw) : rowSources(token);
  const found = [];
  let element = before ? before.nextSibling : parent.firstChild;
  for (const source of sources) {
    if (element instanceof Element) found.push({ element, source });
    if (!element || element === last) break;
    element = element.nextSibling;
  }
  return found;
}

/** Each row as a table of its own. @param {Token} token @returns {string[]} */
function rowSources({ type, raw }) {
  if (type !== "table") return [];
  const [names, line, ...rows] = raw.trimEnd().split("\n");
  return rows.map((row) => `${names}\n${line}\n${row}`);
}

/** Whether a block of code has its end. @param {string} raw */
function isClosed(raw) {
  const [fence] = /** @type {RegExpExecArray} */ (/^(?:`+|~+)/.exec(raw));
  return new RegExp(`\\n {0,3}${fence[0]}{${fence.length},}[ \\t]*\\n*$`).test(raw);
}

/** The element that holds the items or the rows. @param {Element | null} element */
function container(element) {
  return /** @type {Element} */ (element?.querySelector(":scope > table > tbody") ?? element);
}

/** A line of `===` makes a heading of the paragraph above it. @param {Growing} growing @param {number} depth */
function rename(growing, depth) {
  const heading = document.createElement(`h${Math.min(depth + 2, 6)}`);
  heading.dir = growing.element.dir;
  heading.append(...growing.element.childNodes);
  growing.element.replaceWith(heading);
  growing.element = heading;
}
