import { make } from "../dom/elements.js";
import { inline } from "./inline.js";

/** @typedef {import("./lexer.js").Token} Token */

const NUMBER = /^[-+−±~≈<>]?\s?(?:[$€£¥]\s?)?[-+−]?\d[\d\s.,'’]*(?:\s?(?:%|‰|[$€£¥]|[kKMG]?[a-zA-Z]{1,3}))?$/;

/** A table in a frame that scrolls. @param {Token} token */
export function table({ header, rows }) {
  const [first = []] = rows;
  const names = header.map((/** @type {Token} */ each, /** @type {number} */ i) => cell("th", each, isNumber(first[i])));
  const lines = rows.map((/** @type {Token[]} */ each) => row(each));
  const content = [make("thead", {}, make("tr", {}, ...names))];
  if (lines.length) content.push(make("tbody", {}, ...lines));
  return make("div", { class: "table", tabindex: 0 }, make("table", {}, ...content));
}

/** @param {Token[]} cells */
function row(cells) {
  return make("tr", {}, ...cells.map((each) => cell("td", each, isNumber(each))));
}

/** @param {string} tag @param {Token} token @param {boolean} number */
function cell(tag, { tokens = [], align }, number) {
  return make(tag, { dir: "auto", class: align ?? (number ? "number" : null) }, ...inline(tokens));
}

/** @param {Token | undefined} token */
function isNumber(token) {
  return !!token && NUMBER.test(token.text);
}
