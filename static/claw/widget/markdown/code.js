// The actions of a code block; highlighting is loaded with the first complete block.

import { nextFrame } from "../dom/frame.js";
import { selectedIn } from "../dom/selection.js";

/** Longer code (characters) would take longer than a frame to colour, and is shown plain. */
const LONGEST = 20_000;

/** Blocks are coloured for so many milliseconds of a frame. */
const BUDGET_MS = 8;

/** @type {HTMLElement[]} */
const waiting = [];

/** Colour a complete code block, with one of the next frames. @param {HTMLElement} block */
export async function colour(block) {
  if (!block.dataset.language || (block.textContent ?? "").length > LONGEST) return;
  const { highlight } = await import("../../../vendor/highlight-11.12.0.js");
  waiting.push(block);
  const work = () => {
    const start = performance.now();
    while (waiting.length && performance.now() - start < BUDGET_MS) paint(/** @type {HTMLElement} */ (waiting.shift()), highlight);
    if (waiting.length) nextFrame(work);
  };
  nextFrame(work);
}

/** @param {HTMLElement} block @param {(code: string, language: string) => any} highlight */
function paint(block, highlight) {
  const code = block.querySelector("code");
  if (!code?.isConnected || selectedIn(code)) return; // what is selected stays selected
  const tree = highlight(code.textContent ?? "", block.dataset.language ?? "");
  if (tree) code.replaceChildren(...tree.children.map(node));
}

/** @param {{scope?: string, children: any[]} | string} part @returns {Node | string} */
function node(part) {
  if (typeof part === "string") return part;
  const span = document.createElement("span");
  if (part.scope) span.className = `hl-${part.scope.replace(/[._].*/, "")}`;
  span.append(...part.children.map(node));
  return span;
}
