// Formulas are shown as they were written, and nothing in them is taken for emphasis.

/** @typedef {import("./lexer.js").Token} Token */

// The characters that a formula has and a remark in brackets has not; or it is a single short name.
const FORMULA = /^(?=[\s\S]*[\p{L}\p{N}])(?:[\s\S]*[\\^_={}<>+*/|]|\s*[\p{L}\p{N}'.,]{1,3}\s*$)/u;
const SPAN = /^(?:\\\((?!\\\))([\s\S]+?)\\\)|\\\[(?!\\\])([\s\S]+?)\\\]|\$\$([^$]+)\$\$(?!\$)|\$((?![\s$])(?:[^$\n\\]|\\.)*?[^\s$\\])\$(?![\w$]))/;
const SPANS = new RegExp(SPAN.source.replace("^", "(?<!\\\\)"), "g");
const BLOCK = /^ {0,3}(?:\$\$(?:(?!\$\$|\n[ \t]*(?:\n|$))[\s\S])+\$\$|\\\[(?:(?!\\\]|\n[ \t]*(?:\n|$))[\s\S])+\\\])[ \t]*(?:\n+|$)/;
const BEGIN = /\n {0,3}(?:\$\$|\\\[)/;

/** Whether some text between brackets or dollars is a formula. @param {string} text */
export function isFormula(text) {
  return FORMULA.test(text);
}

/** A formula in a line. @param {string} source @returns {Token | undefined} */
export function mathSpan(source) {
  const found = SPAN.exec(source);
  if (!found) return;
  const [raw, round, square, ...dollars] = found;
  const content = round ?? square;
  if (content !== undefined ? isFormula(content) : dollars.some((text) => text)) return { type: "math", raw };
}

/** A formula on lines of its own, without a blank line in it. @param {string} source @returns {Token | undefined} */
export function mathBlock(source) {
  const found = BLOCK.exec(source);
  if (found) return { type: "math_block", raw: found[0] };
}

/** Where a formula on lines of its own may begin within a paragraph. @param {string} source */
export function mathStart(source) {
  const found = BEGIN.exec(source);
  return found ? found.index + 1 : -1;
}

/** The text with formulas blotted out, so that no emphasis begins or ends in one. @param {string} text */
export function mathMark(text) {
  return text.replace(SPANS, (raw) => (mathSpan(raw) ? `[${"a".repeat(raw.length - 2)}]` : raw));
}
