// The direction of a block, set once. With `dir="auto"` a browser looks through the whole block for
// every node that is added to it, so a long paragraph would cost its length squared.

const LETTER = /\p{L}/u;
const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]|[\ud802\ud803\ud83a\ud83b]/;
/** A text with no letter in so many characters is taken for left-to-right. */
const FAR = 500;

/**
 * The direction of a block by its first letter: `auto` as long as no letter has come.
 * @param {Node[]} nodes what stands in the block @returns {"ltr" | "rtl" | "auto"}
 */
export function directionOf(nodes) {
  let seen = 0;
  for (const node of nodes) {
    if (node instanceof Element && node.hasAttribute("dir")) continue; // a formula has its own
    const text = node.textContent ?? "";
    const [letter] = LETTER.exec(text) ?? [];
    if (letter) return RIGHT_TO_LEFT.test(letter) ? "rtl" : "ltr";
    if ((seen += text.length) > FAR) return "ltr";
  }
  return "auto";
}
