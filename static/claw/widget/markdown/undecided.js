// Whether a last line, or a formula without its end, is still open to become another kind of block.

/** Only what a block can begin with: a bullet, a rule, a fence, a row of a table. */
const MARKERS = /^(?:[ \t>]|[-+*=_#|~`:]|\d{1,9}[.)]?|\\\[?|\$\$?)*$/;
const FENCE = /^(?:[ \t>]|[-+*][ \t]|\d{1,9}[.)][ \t])*(?:`{3,}[^`]*|~{3,}.*)$/;
const FORMULA = /(?:^|\n)[ \t>]*(\$\$|\\\[)/g;
const BLANK = /\n[ \t>]*\n/g;

/**
 * From where on a source says nothing yet about its last block.
 * @param {string} source @param {boolean} inCode whether it begins within a block of code
 */
export function undecided(source, inCode) {
  const line = source.lastIndexOf("\n") + 1;
  const last = source.slice(line);
  const end = MARKERS.test(last) || FENCE.test(last) ? line : source.length;
  return inCode ? end : openFormula(source.slice(0, end));
}

/** Where a formula on lines of its own has begun that has not ended. @param {string} source */
function openFormula(source) {
  FORMULA.lastIndex = 0;
  for (const { index } of source.matchAll(BLANK)) FORMULA.lastIndex = index;
  for (let found = FORMULA.exec(source); found; found = FORMULA.exec(source)) {
    const [begun, mark] = found;
    const after = found.index + begun.length;
    const end = source.indexOf(mark === "$$" ? "$$" : "\\]", after);
    // Text behind the end, in its line, makes it a formula within a paragraph.
    if (end < 0 || /^[ \t]*$/.test(source.slice(end + 2))) return found.index + (begun.startsWith("\n") ? 1 : 0);
    FORMULA.lastIndex = end + 2;
  }
  return source.length;
}
