import { make } from "../dom/elements.js";
import { decode } from "./entities.js";
import { link, safeLink } from "./links.js";

/** @typedef {import("./lexer.js").Token} Token */

const BREAK = /^<br\s*\/?>$/i;
/** @type {Record<string, string>} */
const TAGS = { strong: "strong", em: "em", del: "s" };

/** The content of a block as nodes. @param {Token[]} tokens @returns {Node[]} */
export function inline(tokens) {
  /** @type {Node[]} */
  const nodes = [];
  /** @type {Text | null} the text at the end, which may go on */
  let text = null;
  for (const token of tokens) {
    const made = token.type === "seam" ? null : node(token);
    if (typeof made !== "string") {
      if (made) nodes.push(made);
      text = null;
      if (token.type === "checkbox") nodes.push(document.createTextNode(" "));
    } else if (text) {
      text.appendData(made);
    } else if (made) {
      nodes.push((text = document.createTextNode(made)));
    }
  }
  return nodes;
}

/** An element, or a text. @param {Token} token @returns {Element | string} */
function node(token) {
  switch (token.type) {
    case "strong":
    case "em":
    case "del":
      return make(TAGS[token.type], {}, ...inline(token.tokens ?? []));
    case "codespan":
      return make("code", {}, token.text);
    case "br":
      return make("br");
    case "link":
      return link(decode(token.href), inline(token.tokens ?? []));
    case "image": {
      // No remote images: they tell strangers who reads, and carry data out.
      const address = decode(token.href);
      const name = inline(token.tokens ?? []).map(({ textContent }) => textContent).join("");
      return link(address, [document.createTextNode(name || (safeLink(address) ?? address))]);
    }
    case "reference":
      return make("span", { "data-reference": token.label }, ...inline(token.tokens ?? []));
    case "math":
      return make("span", { class: "math", dir: "ltr", translate: "no" }, token.raw);
    case "note":
      return note(token);
    case "checkbox": // its label is the item's
      return make("input", { type: "checkbox", disabled: true, checked: token.checked });
    case "html":
      return BREAK.test(token.raw) ? make("br") : token.raw;
    case "escape":
      return token.text;
  }
  return decode(token.text);
}

/** A footnote's mark; whether there is such a note is known at the end. @param {Token} token */
function note({ label, raw }) {
  const numbered = /^\d+$/.test(label);
  return make(numbered ? "sup" : "span", { "data-note": label }, numbered ? label : raw);
}
