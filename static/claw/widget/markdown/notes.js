import { make } from "../dom/elements.js";
import { block } from "./blocks.js";

/** @typedef {import("./blocks.js").Labels} Labels */
/** @typedef {import("./lexer.js").Token} Token */

/**
 * Show footnotes below a complete text. A mark without a note is what was written.
 * @param {Element} root @param {Map<string, Token[]>} notes by label @param {Labels} labels
 */
export function showNotes(root, notes, labels) {
  for (const mark of root.querySelectorAll("[data-note]")) {
    const label = mark.getAttribute("data-note") ?? "";
    mark.replaceWith(notes.has(label) ? make("sup", {}, label) : `[^${label}]`);
  }
  if (!notes.size) return;
  const lines = [...notes].map(([label, tokens]) => {
    const content = tokens.flatMap((token) => block(token, labels) ?? []);
    const first = content[0]?.localName === "p" ? content[0] : make("p", { dir: "auto" });
    first.prepend(make("sup", {}, label), " ");
    return make("div", { class: "note" }, first, ...content.filter((each) => each !== first));
  });
  root.append(make("section", { class: "notes" }, ...lines));
}
