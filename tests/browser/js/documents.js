// Random documents of the syntax that models write, and of its pieces in any order.
import { Markdown } from "/static/claw/markdown.js";

const WORDS = ["word", "MY_ENV_VAR", "5*3", "it's", "$5", "a_b_c", "f(*args)", "日本語", "مرحبا", "👩‍👩‍👧", "e.g.", "[0]", "<b>", "&amp;", "C:\\new", "x^2", "~5", "a|b"];
const SPANS = ["**bold text**", "*em*", "_under_", "~~gone~~", "`code *x*`", "``a ` b``", "[link](https://a.example/b_(c))", "[ref][one]", "[one]", "![alt](https://a.example/i.png)", "<https://a.example>", "https://a.example/x_y.", "$a_1 * b_2$", "\\(x_1\\)", "[^1]", "[^note]", "\\*no\\*", "***both***", "**open", "*open", "`open", "[open", "www.a.example", "a@b.example"];
const BLOCKS = ["# Title\n", "## Two ##\n", "Setext\n===\n", "---\n", "- one\n- two\n  - three\n\n", "1. one\n2. two\n\n   more\n", "3. one\n\n4. two\n\n", "- [ ] todo\n- [x] done\n", "> quoted\n> *more*\n\n", "> [!NOTE]\n> noted\n\n", "```py\nx = 1\n\n\ty = 2\n```\n", "~~~\nplain\n~~~\n", "````md\n```\nx\n```\n````\n", "    indented\n\n", "| a | b |\n|---|--:|\n| 1 | 2 |\n| *3* | 4 |\n\n", "[one]: https://a.example/one\n\n", "[^1]: A note.\n\n", "$$\na = b\n- c\n$$\n\n", "\\[\nx = y\n=\nz\n\\]\n", "<div>\n*raw*\n</div>\n\n", "term\nline two\\\nline three  \nline four\n\n", "\r\nwindows\r\n\r\n"];
const PIECES = ["> ", "- ", "1. ", "\n", "\n\n", "  ", "    ", "**", "*", "_", "__", "`", "```", "~~~", "|", "|---|", "[", "](", ")", "!", "$", "$$", "\\[", "\\(", "\\)", "<br", ">", "#", "x", " ", "http://", "~~", "- [x] ", "\t", "\u0000", "😀", "[^1]", ": ", "===", "&", ";", "\r"];

/** The same numbers for the same seed. @param {number} seed */
function generator(seed) {
  return (/** @type {number} */ n) => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return (seed >>> 8) % n;
  };
}

/** @param {number} seed */
export function makeDocument(seed) {
  const random = generator(seed);
  const one = (/** @type {string[]} */ list) => list[random(list.length)];
  if (seed % 4 === 0) return Array.from({ length: 40 }, () => one(PIECES)).join("");
  let text = "";
  for (let blocks = 1 + random(8); blocks; blocks -= 1) {
    if (random(2)) text += one(BLOCKS);
    else text += Array.from({ length: 1 + random(random(30) ? 12 : 300) }, () => one(random(2) ? WORDS : SPANS)).join(" ") + one(["\n", "\n\n"]);
  }
  // Some of it is a quotation, perhaps of quotations.
  if (seed % 7 < 2) text = text.replace(/^/gm, seed % 7 ? "> " : "> > ");
  return text;
}

/** The elements of a text that comes in pieces of `size` characters. @param {string} text @param {number} size */
export function render(text, size) {
  const root = document.createElement("div");
  const markdown = new Markdown(root);
  for (let at = 0; at < text.length; at += size) markdown.write(text.slice(at, at + size));
  markdown.end();
  return root.innerHTML;
}

/** The documents that are not the same in pieces as whole. @param {number} from @param {number} count */
export function different(from, count) {
  const found = [];
  for (let seed = from; seed < from + count; seed += 1) {
    const text = makeDocument(seed);
    const whole = render(text, text.length);
    for (const size of [1, 7]) {
      const pieces = render(text, size);
      if (pieces !== whole) found.push({ seed, size, text, whole, pieces });
    }
  }
  return found;
}
