// Markdown that grows at its end: what stands already is never laid out anew, so selected text
// stays selected and half-written syntax never shows. Everything becomes elements and text nodes,
// never HTML.

import { make } from "./dom.js";
import { Attr, Token, parser, parser_end, parser_write } from "../vendor/streaming-markdown-0.2.15.js";

const PROTOCOLS = new Set(["http:", "https:", "mailto:"]);

// The parser takes `$` and `\(` for formulas, which may never end: prices and shell variables
// would swallow the rest. Characters that Unicode leaves without meaning pass in their stead.
const DOLLAR = "\uFDD0";
const PAREN = "\uFDD1";

/** @type {Record<number, string>} */
const TAGS = {
  [Token.Paragraph]: "p",
  [Token.Heading_1]: "h3", // the page around has its own h1 and h2
  [Token.Heading_2]: "h4",
  [Token.Heading_3]: "h5",
  [Token.Heading_4]: "h6",
  [Token.Heading_5]: "h6",
  [Token.Heading_6]: "h6",
  [Token.Blockquote]: "blockquote",
  [Token.Line_Break]: "br",
  [Token.Rule]: "hr",
  [Token.Italic_Ast]: "em",
  [Token.Italic_Und]: "em",
  [Token.Strong_Ast]: "strong",
  [Token.Strong_Und]: "strong",
  [Token.Strike]: "s",
  [Token.Code_Inline]: "code",
  [Token.Raw_URL]: "a",
  [Token.Link]: "a",
  [Token.Image]: "a", // no remote images: they tell strangers who reads, and carry data out
  [Token.List_Unordered]: "ul",
  [Token.List_Ordered]: "ol",
  [Token.List_Item]: "li",
  [Token.Equation_Block]: "pre",
};

/**
 * The address of a link that is safe to follow (http, https and mailto only), or null.
 * @param {string} text
 */
export function safeLink(text) {
  if (!URL.canParse(text, document.baseURI)) return null;
  const url = new URL(text, document.baseURI);
  return PROTOCOLS.has(url.protocol) ? url.href : null;
}

/** @typedef {{element: Element, type: number, linked?: boolean}} Open */

/** One growing text. */
export class Markdown {
  /** @type {Open[]} what is open, innermost last */
  #open;
  #parser;
  #copyLabel;
  #onCode;
  #last = "";

  /**
   * @param {Element} root where the text grows
   * @param {{copyLabel?: string, onCode?: (block: HTMLElement) => void}} [options] the label of a
   *   code block's button (`data-action="copy-code"`), and who is told of complete code blocks
   */
  constructor(root, { copyLabel = "Copy", onCode = () => {} } = {}) {
    this.#open = [{ element: root, type: Token.Document }];
    this.#copyLabel = copyLabel;
    this.#onCode = onCode;
    this.#parser = parser({
      data: null,
      add_token: (/** @type {null} */ _, /** @type {number} */ type) => this.#begin(type),
      end_token: () => this.#end(),
      add_text: (/** @type {null} */ _, /** @type {string} */ text) => this.#add(restored(text)),
      set_attr: (/** @type {null} */ _, /** @type {number} */ name, /** @type {string} */ value) =>
        this.#set(name, restored(value)),
    });
  }

  /** Add the next piece of the text, wherever it is cut. @param {string} text */
  write(text) {
    if (!text) return;
    const escapes = this.#last === "\\" && text[0] === "(";
    this.#last = text[text.length - 1];
    if (escapes) text = PAREN + text.slice(1);
    parser_write(this.#parser, text.replaceAll("$", DOLLAR).replaceAll("\\(", `\\${PAREN}`));
  }

  /** The text is over: what was held back in the hope of more is shown. */
  end() {
    parser_end(this.#parser);
    const rest = restored(this.#parser.pending.trimEnd());
    if (rest) this.#add(rest);
    while (this.#open.length > 1) this.#end();
  }

  /** @param {number} type */
  #begin(type) {
    const parent = this.#open[this.#open.length - 1].element;
    const element = this.#make(type, parent);
    this.#open.push({ element, type });
  }

  /** The element that takes the text of a new part. @param {number} type @param {Element} parent */
  #make(type, parent) {
    switch (type) {
      case Token.Code_Block:
      case Token.Code_Fence:
        return append(codeBlock(parent, this.#copyLabel), make("code"));
      case Token.Table: {
        const frame = append(parent, make("div", { class: "table", tabindex: 0 }));
        return append(frame, make("table"));
      }
      case Token.Table_Row:
        return append(rows(parent), make("tr"));
      case Token.Table_Cell:
        return append(parent, make(parent.parentElement?.tagName === "THEAD" ? "th" : "td"));
      case Token.Checkbox:
        return append(parent, make("input", { type: "checkbox", disabled: true }));
    }
    return append(parent, make(TAGS[type] ?? "span"));
  }

  #end() {
    if (this.#open.length === 1) return;
    const { element, type, linked } = /** @type {Open} */ (this.#open.pop());
    if (type === Token.Code_Fence || type === Token.Code_Block) {
      this.#onCode(/** @type {HTMLElement} */ (element.closest("figure")));
    } else if ((type === Token.Link || type === Token.Image) && !linked) {
      // It was no link after all: an index, a footnote, a box to tick.
      element.prepend(type === Token.Image ? "![" : "[");
      element.append("]");
    } else if (linked && !element.textContent) {
      element.textContent = element.getAttribute("href");
    }
  }

  /** @param {string} text */
  #add(text) {
    const { element } = this.#open[this.#open.length - 1];
    const last = element.lastChild;
    if (last?.nodeType === Node.TEXT_NODE) /** @type {Text} */ (last).appendData(text);
    else element.append(text);
  }

  /** @param {number} name @param {string} value */
  #set(name, value) {
    const open = this.#open[this.#open.length - 1];
    const { element } = open;
    switch (name) {
      case Attr.Href:
      case Attr.Src: {
        open.linked = true;
        link(element, value.trim().replace(/\s.*$/s, "")); // a title may follow the address
        break;
      }
      case Attr.Lang:
        label(element, value.trim().split(/\s/)[0]);
        break;
      case Attr.Checked:
        /** @type {HTMLInputElement} */ (element).checked = true;
        break;
      case Attr.Start:
        /** @type {HTMLOListElement} */ (element).start = Number.parseInt(value, 10) || 1;
    }
  }
}

/** @param {string} text */
function restored(text) {
  return text.replaceAll(DOLLAR, "$").replaceAll(PAREN, "(");
}

/** @param {Element} parent @param {HTMLElement} child */
function append(parent, child) {
  return parent.appendChild(child);
}

/** Where the next row of a table goes. @param {Element} table */
function rows(table) {
  return table.children[1] ?? append(table, make(table.firstChild ? "tbody" : "thead"));
}

/** @param {Element} parent @param {string} copyLabel */
function codeBlock(parent, copyLabel) {
  const copy = make("button", { type: "button", "data-action": "copy-code" }, copyLabel);
  const caption = make("figcaption", {}, make("span", { class: "language" }), copy);
  const pre = make("pre", { tabindex: 0 });
  parent.append(make("figure", { class: "code" }, caption, pre));
  return pre;
}

/** @param {Element} code @param {string} language */
function label(code, language) {
  const figure = code.closest("figure");
  if (!figure) return;
  figure.dataset.language = language.toLowerCase();
  const place = figure.querySelector(".language");
  if (place) place.textContent = language;
}

/** @param {Element} element @param {string} address */
function link(element, address) {
  const bare = address.replace(/[.,;:!?]+$/, "");
  const href = safeLink(bare);
  if (href === null) return;
  element.setAttribute("href", href);
  element.setAttribute("rel", "noopener noreferrer nofollow");
  element.setAttribute("target", "_blank");
}
