// What a code block can do; highlighting is loaded with the first complete block.

/** Longer code (characters) would take longer than a frame to colour, and is shown plain. */
const LONGEST = 20_000;

/** Colour a complete code block. @param {HTMLElement} block */
export async function colour(block) {
  const code = block.querySelector("code");
  const text = code?.textContent ?? "";
  const { language } = block.dataset;
  if (!code || !language || text.length > LONGEST) return;
  const { highlight } = await import("../vendor/highlight-11.12.0.js");
  const tree = highlight(text, language);
  if (tree && code.isConnected) code.replaceChildren(...tree.children.map(node));
}

/** @param {{scope?: string, children: any[]} | string} part @returns {Node | string} */
function node(part) {
  if (typeof part === "string") return part;
  const span = document.createElement("span");
  if (part.scope) span.className = `hl-${part.scope.replace(/[._].*/, "")}`;
  span.append(...part.children.map(node));
  return span;
}

/** Copy a text, also where the clipboard of today is not allowed. @param {string} text */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // A frame or a page over plain HTTP: the old way, with a selection.
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
}
