/** @typedef {import("./lexer.js").Token} Token */

// The note goes on as long as lines are indented, or follow without a blank line.
const NOTE = /^ {0,3}\[\^([^\]\s]+)\]:[ \t]*([^\n]*(?:\n(?! {0,3}\[\^[^\]\s]+\]:)(?:[^\n]*\S[^\n]*|[ \t]*(?=\n+ {2,}\S)))*)(?:\n+|$)/;
const MARK = /^\[\^([^\]\s]+)\]/;

/** `[^1]: a note`. @this {{lexer: any}} @param {string} source @returns {Token | undefined} */
export function footnoteBlock(source) {
  const found = NOTE.exec(source);
  if (!found) return;
  const [raw, label, text] = found;
  this.lexer.state.top = true;
  return { type: "footnote", raw, label, tokens: this.lexer.blockTokens(text.replace(/^ {1,4}/gm, ""), []) };
}

/** `[^1]` in a text. @param {string} source @returns {Token | undefined} */
export function footnoteMark(source) {
  const found = MARK.exec(source);
  if (found) return { type: "note", raw: found[0], label: found[1] };
}
