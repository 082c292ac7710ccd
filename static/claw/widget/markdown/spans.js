// Where parts of inline Markdown end. Each function returns the position after the part; null where
// that depends on what follows; -1 where a part has begun whose end is not there.

import { mayRefer } from "./references.js";

const TAG = /<(?:[a-zA-Z][a-zA-Z0-9+.-]{1,31}:[^\s<>]*|[\w.!#$%&'*+/=?^`{|}~-]+@[\w.-]+|!--[\s\S]{0,300}?--|[/?!]?[a-zA-Z][^<>]{0,300})>/y;
const HALF_TAG = /<(?:[a-zA-Z][a-zA-Z0-9+.-]{0,31}:[^\s<>]*|[\w.!#$%&'*+/=?^`{|}~-]*(?:@[\w.-]*)?|!-{0,2}[^>]{0,300}|[/?!]?(?:[a-zA-Z][^<>]{0,300})?)$/y;
// An address in brackets may hold brackets in pairs, three deep.
const PLAIN = String.raw`\\.|[^\s()\\]`;
const PAIRED = [1, 2, 3].reduce((inner) => String.raw`${PLAIN}|\((?:${inner})*\)`, PLAIN);
const TITLE = String.raw`(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\((?:\\.|[^()\\])*\))`;
const HALF_TITLE = String.raw`(?:"(?:\\.?|[^"\\])*"?|'(?:\\.?|[^'\\])*'?|\((?:\\.?|[^()\\])*\)?)?`;
const TARGET = new RegExp(String.raw`\(\s*(?:<[^<>\n]*>|(?:(?!<)(?:${PAIRED}))*)(?:\s+${TITLE})?\s*\)`, "y");
const HALF_TARGET = new RegExp(String.raw`\(\s*(?:<[^<>\n]*>?|[^\s<]\S*)?(?:\s+${HALF_TITLE})?\s*$`, "y");
const HALF_DEFINITION = new RegExp(String.raw`:\s*(?:<[^<>\n]*>?|[^\s<]\S*)?(?:\s+${HALF_TITLE})?[ \t]*$`, "y");
/** The text of a link has so many characters at most. */
export const LONGEST_LABEL = 2000;
/** So has a code span, or a formula. */
export const LONGEST_SPAN = 8000;
/** A box to tick, or the kind of an alert, at the beginning of a block. */
const LEADING = /^\[(?:[ xX]?\]?|!\w*\]?)[ \t]*$/;

/** @param {RegExp} pattern a sticky one @param {string} text @param {number} at */
function end(pattern, text, at) {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : 0;
}

/** A code span that is not too long. @param {string} text @param {number} at */
export function afterCode(text, at) {
  let run = at;
  while (text[run] === "`") run += 1;
  if (run === text.length) return null;
  const ticks = text.slice(at, run);
  for (let close = text.indexOf(ticks, run); close >= 0; close = text.indexOf(ticks, close)) {
    if (close - at > LONGEST_SPAN) break;
    let last = close;
    while (text[last] === "`") last += 1;
    if (last - close === ticks.length) return last === text.length ? null : last;
    close = last;
  }
  return -1;
}

/** `<https://address>`, or a tag. @param {string} text @param {number} at */
export function afterTag(text, at) {
  return end(TAG, text, at) || (end(HALF_TAG, text, at) ? null : at + 1);
}

/**
 * A link, an image or the mark of a footnote; else only the bracket.
 * @param {string} text @param {number} at @param {number | undefined} close what `pairs` says
 * @param {(label: string) => boolean} known
 */
export function afterBracket(text, at, close, known) {
  if (close === undefined) return at === 0 && LEADING.test(text) ? null : -1;
  const label = text.slice(at + 1, close);
  if (at === 0 && LEADING.test(text)) return null;
  if (close + 1 === text.length) return null;
  if (/^\^[^\s\]]+$/.test(label)) return close + 1;
  switch (text[close + 1]) {
    case ":":
      if (text.slice(0, at).trim() || !end(HALF_DEFINITION, text, close + 1)) break;
      return null;
    case "(": {
      const whole = end(TARGET, text, close + 1);
      if (whole) return whole;
      return end(HALF_TARGET, text, close + 1) ? null : at + 1;
    }
    case "[": {
      const last = text.indexOf("]", close + 2);
      if ((last < 0 ? text.length : last) - close >= LONGEST_LABEL) return at + 1;
      if (last < 0) return null;
      if (known(text.slice(close + 2, last) || label)) return last + 1;
      if (last === close + 2 || !mayRefer(text[at - 1])) return at + 1;
      if (last + 1 === text.length) return null;
      return /[[(]/.test(text[last + 1]) ? at + 1 : last + 1;
    }
  }
  return known(label) ? close + 1 : at + 1;
}

/**
 * The brackets of a text that close others, by the position of these. One that may stand in a code
 * span closes none, as code binds closer.
 * @param {string} text @returns {Map<number, number>}
 */
export function pairs(text) {
  /** @type {number[]} */
  let open = [];
  const found = new Map();
  for (let i = 0; i < text.length; i += 1) {
    if (text[i] === "\\") i += 1;
    else if (text[i] === "[") open.push(i);
    else if (text[i] === "]") {
      const begun = open.pop();
      if (begun !== undefined && i - begun < LONGEST_LABEL) found.set(begun, i);
    } else if (text[i] === "`") {
      const code = afterCode(text, i);
      if (code === null || code < 0) open = [];
      if (code && code > 0) i = code - 1;
      else while (text[i + 1] === "`") i += 1;
    }
  }
  return found;
}
