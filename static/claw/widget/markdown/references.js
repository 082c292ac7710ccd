/** @typedef {import("./lexer.js").Token} Token */

const REFERENCE = /^\[((?:\\.|[^\[\]\\`])+)\]\[([^\[\]\\]+)\](?![[(])/;

/**
 * Whether `[text][label]` behind this character is taken for a link before its definition has come.
 * Behind a word it is rather an index: `a[i][j]`.
 * @param {string | undefined} before
 */
export function mayRefer(before) {
  return !before || !/[\p{L}\p{N}_\])]/u.test(before);
}

/**
 * A link whose definition has not come.
 * @this {{lexer: any}} @param {string} source @param {Token[]} tokens what comes before @returns {Token | undefined}
 */
export function reference(source, tokens) {
  const found = REFERENCE.exec(source);
  if (!found || !mayRefer(tokens.at(-1)?.raw.at(-1))) return;
  const [raw, text, label] = found;
  if (label.replace(/\s+/g, " ").toLowerCase() in this.lexer.tokens.links) return;
  return { type: "reference", raw, label, tokens: this.lexer.inlineTokens(text) };
}

/** The text is over: what was not defined is what was written. @param {Element} root */
export function giveUp(root) {
  for (const mark of root.querySelectorAll("[data-reference]")) {
    mark.replaceWith("[", ...mark.childNodes, `][${mark.getAttribute("data-reference")}]`);
  }
}
