import { make } from "../../dom/elements.js";
import { link } from "../../markdown/links.js";

/** @import {Strings} from "../../locales/strings.js" */
/** @import {Message} from "../../../types.js" */

/** More than these helps nobody, and a stranger's list has an end. */
const MOST_SOURCES = 50;
const LONGEST_EXCERPT = 1000;

/** The sources of an answer, folded: titles that lead there, each with its passage. */
export class SourcesCard {
  #strings;
  #shown = "";
  #label = make("span", { class: "name" });
  #list = make("ol");

  /** @param {Strings} strings */
  constructor(strings) {
    this.#strings = strings;
    this.element = make("details", { class: "card sources", hidden: true }, make("summary", {}, this.#label), this.#list);
  }

  /** @param {Message["sources"]} sources */
  show(sources) {
    const some = sources.slice(0, MOST_SOURCES);
    const shown = JSON.stringify(some);
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.element.hidden = !some.length;
    const { lang, cards } = this.#strings;
    const label = some.length === 1 ? cards.source : cards.sources;
    this.#label.textContent = label.replace("{count}", some.length.toLocaleString(lang));
    this.#list.replaceChildren(...some.map((source) => this.#item(source)));
  }

  /** @param {Record<string, any>} source */
  #item({ title, url, excerpt }) {
    const name = String(title || url || this.#strings.untitled);
    const item = make("li", { dir: "auto" }, url ? link(String(url), [document.createTextNode(name)]) : name);
    if (excerpt) item.append(make("blockquote", { dir: "auto" }, String(excerpt).slice(0, LONGEST_EXCERPT)));
    return item;
  }
}
