import { make } from "../dom/elements.js";
import { directionOf } from "./direction.js";
import { decode } from "./entities.js";
import { inline } from "./inline.js";
import { table } from "./table.js";

/** @typedef {import("./lexer.js").Token} Token */
/** @typedef {{copy: string, alerts: Record<string, string>}} Labels a code block's button, and the kinds of alerts */

const ALERT = /^\[!(note|tip|important|warning|caution)\][ \t]*(?:\n|$)/i;
const ONLY_BREAKS = /^(?:\s*<br\s*\/?>)+\s*$/i;

/** The elements of some blocks. @param {Token[]} tokens @param {Labels} labels @returns {HTMLElement[]} */
export function blocks(tokens, labels) {
  return tokens.flatMap((token) => block(token, labels) ?? []);
}

/**
 * The element of a block, which finds its own direction; null for what shows nothing.
 * @param {Token} token @param {Labels} labels @returns {HTMLElement | null}
 */
export function block(token, labels) {
  switch (token.type) {
    case "paragraph":
      return paragraph(token);
    case "heading": // the page around has its own h1 and h2
      return textBlock(`h${Math.min(token.depth + 2, 6)}`, inline(token.tokens ?? []));
    case "code":
      return code(token, labels.copy);
    case "blockquote":
      return quotation(token, labels);
    case "list":
      return list(token, labels);
    case "table":
      return table(token);
    case "hr":
      return make("hr");
    case "math_block":
      return make("p", { dir: "ltr", class: "math", translate: "no" }, token.raw.trim());
    case "html":
      return ONLY_BREAKS.test(token.raw) ? make("br") : make("p", { dir: "auto", class: "verbatim" }, token.raw.trimEnd());
  }
  return null; // blank lines, definitions, footnotes
}

/** Empty while no word of it is settled. @param {Token} token */
function paragraph({ tokens = [] }) {
  const nodes = inline(tokens);
  return nodes.length ? textBlock("p", nodes) : null;
}

/** @param {string} tag @param {Node[]} nodes @param {{class?: string | null}} [attributes] */
function textBlock(tag, nodes, attributes = {}) {
  return make(tag, { dir: directionOf(nodes), ...attributes }, ...nodes);
}

/** @param {Token} token @param {string} copy */
function code({ lang, text }, copy) {
  const language = decode(lang ?? "").split(/\s/)[0];
  const caption = make("figcaption");
  if (language) caption.append(make("span", { class: "language" }, language));
  caption.append(make("button", { type: "button", "data-action": "copy-code" }, copy));
  const pre = make("pre", { tabindex: 0, dir: "ltr" }, make("code", {}, text));
  return make("figure", { class: "code", "data-language": language.toLowerCase() || null }, caption, pre);
}

/** @param {Token} token @param {Labels} labels */
function list({ ordered, start, loose, items }, labels) {
  const attributes = { start: ordered && start !== 1 ? start : null, class: loose ? "loose" : null };
  return make(ordered ? "ol" : "ul", attributes, ...items.map((/** @type {Token} */ each) => item(each, labels)));
}

/** The first paragraph stands by its bullet, whatever comes later in the list. @param {Token} token @param {Labels} labels */
function item({ tokens = [], task }, labels) {
  const rest = tokens.filter(({ type }) => type !== "space");
  const line = rest[0]?.type === "checkbox" ? [/** @type {Token} */ (rest.shift())] : [];
  if (rest[0]?.type === "text" || rest[0]?.type === "paragraph") line.push(...(rest.shift()?.tokens ?? []));
  const element = textBlock("li", inline(line), { class: task ? "task" : null });
  if (task) element.firstElementChild?.setAttribute("aria-label", element.textContent?.trim() ?? "");
  for (const each of rest) element.append(...(each.type === "text" ? inline(each.tokens ?? []) : blocks([each], labels)));
  return element;
}

/** @param {Token} token @param {Labels} labels */
function quotation(token, labels) {
  const { kind, tokens } = opening(token);
  if (!kind) return make("blockquote", {}, ...blocks(tokens, labels));
  const title = make("p", { dir: "auto", class: "title" }, labels.alerts[kind]);
  return make("blockquote", { class: `alert ${kind}` }, title, ...blocks(tokens, labels));
}

/** The kind of an alert, and the blocks of a quotation without it. @param {Token} token @returns {{kind?: string, tokens: Token[]}} */
export function opening({ tokens = [] }) {
  const [first, ...rest] = tokens;
  const kind = first?.type === "paragraph" && first.tokens?.length && ALERT.exec(first.text)?.[1].toLowerCase();
  if (!kind) return { tokens };
  return { kind, tokens: [{ ...first, tokens: first.tokens?.slice(2) }, ...rest] }; // what follows its line end
}
