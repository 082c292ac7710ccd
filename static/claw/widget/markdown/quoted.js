// A quotation's text is its source without the marks before each line.

const MARK = /^ {0,3}>/;

/**
 * How a quotation is read again from a position in its text on.
 * @param {string} raw its source @param {string} text @param {number} position
 * @param {string} head what its last block wants to be read before that
 * @returns {{head: string, read: number} | null} a position in the source, and what comes before it
 */
export function again(raw, text, position, head) {
  const begin = text.lastIndexOf("\n", position - 1) + 1;
  const from = lineStart(raw, text, position);
  if (!position || from < 0) return null;
  const outer = line(raw, from);
  const rest = line(text, position);
  const marked = head.replace(/^(?=[^\n])/gm, "> ");
  const partial = !!head && !head.endsWith("\n");
  if (position === begin && !partial && MARK.test(outer)) return { head: marked, read: from };
  if (!outer.endsWith(rest)) return null;
  return { head: partial ? marked : `${marked}> `, read: from + outer.length - rest.length };
}

/** Where the line begins in the source; each line of it is one of the text. @param {string} raw @param {string} text @param {number} position */
function lineStart(raw, text, position) {
  let from = 0;
  for (let at = text.indexOf("\n"); at >= 0 && at < position; at = text.indexOf("\n", at + 1)) {
    from = raw.indexOf("\n", from) + 1;
    if (!from) return -1;
  }
  return from;
}

/** @param {string} text @param {number} from */
function line(text, from) {
  const end = text.indexOf("\n", from);
  return text.slice(from, end < 0 ? text.length : end);
}
