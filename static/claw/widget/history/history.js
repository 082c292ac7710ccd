import { arrange, iconButton, make } from "../dom/elements.js";
import { Row } from "./row.js";

/** @import {ClawClient} from "../../client/client.js" */
/** @import {ConversationInfo} from "../../types.js" */
/** @import {Strings} from "../locales/strings.js" */

/** As many conversations are listed at most: this many pages of a hundred. */
const MAX_PAGES = 10;
const PAGE = 100;
const DAY_MS = 86_400_000;

/**
 * The visitor's conversations by day: search, open, rename, delete. A reload updates the rows in
 * place; the form that the reader has open stays, and so does the focus.
 */
export class History {
  #client;
  #strings;
  #locale;
  #onOpen;
  #onDelete;
  #onError;
  #search;
  #list = make("ul");
  /** Newest first, by the id of the conversation. @type {Map<string, Row>} */
  #rows = new Map();
  /** The headings, by their text. @type {Map<string, HTMLElement>} */
  #days = new Map();
  /** How often a conversation was renamed or deleted here. */
  #changes = 0;

  /**
   * @param {ClawClient} client
   * @param {Strings} strings
   * @param {{locale: string, onOpen: (id: string) => void, onDelete: (id: string) => void,
   *   onError: (error: unknown) => void}} options
   */
  constructor(client, strings, { locale, onOpen, onDelete, onError }) {
    this.#client = client;
    this.#strings = strings;
    this.#locale = locale;
    this.#onOpen = onOpen;
    this.#onDelete = onDelete;
    this.#onError = onError;
    const head = make("header", {}, make("h2", {}, strings.history), iconButton("close-history", strings.closeHistory, "close"));
    const search = { type: "search", "aria-label": strings.search, placeholder: strings.search, dir: "auto" };
    this.#search = /** @type {HTMLInputElement} */ (make("input", search));
    this.#search.addEventListener("input", () => this.#show());
    this.element = make("nav", { class: "history", "aria-label": strings.history }, head, this.#search, this.#list);
  }

  /** Ask the server anew; `current` is the one that is open. @param {string | null} current */
  async load(current) {
    let changes, infos;
    do {
      changes = this.#changes;
      infos = await this.#fetch();
    } while (changes !== this.#changes); // what was read may be older than the change
    const rows = infos.map((info) => this.#row(info, info.id === current));
    const kept = [...this.#rows.values()].filter((row) => row.busy && !rows.includes(row));
    this.#rows = new Map([...rows, ...kept].map((row) => [row.id, row]));
    this.#show();
  }

  focus() {
    this.element.querySelector("button")?.focus();
  }

  /** @returns {Promise<ConversationInfo[]>} */
  async #fetch() {
    const infos = [];
    /** @type {string | undefined} */
    let before;
    for (let page = 0; page < MAX_PAGES; page += 1) {
      const { conversations, nextCursor } = await this.#client.conversations.list({ limit: PAGE, before });
      infos.push(...conversations);
      if (nextCursor === null) break;
      before = nextCursor;
    }
    return infos;
  }

  /** @param {ConversationInfo} info @param {boolean} current */
  #row(info, current) {
    const row = this.#rows.get(info.id) ?? this.#newRow(info.id);
    row.update(info, current);
    return row;
  }

  /** @param {string} id */
  #newRow(id) {
    return new Row(id, this.#strings, this.#locale, {
      onOpen: () => this.#onOpen(id),
      onRename: async (title) => {
        await this.#client.conversations.rename(id, title);
        this.#changes += 1;
      },
      onDelete: async () => {
        await this.#client.conversations.delete(id);
        this.#changes += 1;
        this.#rows.delete(id);
        this.#show();
        this.focus();
        this.#onDelete(id);
      },
      onError: this.#onError,
    });
  }

  /** The rows that match the search, below the headings of their days. */
  #show() {
    const wanted = this.#search.value.trim().toLocaleLowerCase();
    /** @type {Set<HTMLElement>} */
    const shown = new Set();
    for (const row of this.#rows.values()) {
      if (!row.busy && !row.title.toLocaleLowerCase().includes(wanted)) continue;
      shown.add(this.#heading(row.when));
      shown.add(row.element);
    }
    const { noHistory, nothingFound } = this.#strings;
    if (!shown.size) shown.add(make("li", { class: "none", role: "status" }, wanted ? nothingFound : noHistory));
    arrange(this.#list, [...shown]);
  }

  /** @param {Date} when */
  #heading(when) {
    const text = this.#day(when);
    const heading = this.#days.get(text) ?? make("li", { class: "day" }, make("h3", {}, text));
    this.#days.set(text, heading);
    return heading;
  }

  /** `today`, `yesterday` or the date, as the reader writes it. @param {Date} when */
  #day(when) {
    const days = Math.round((midnight(when) - midnight(new Date())) / DAY_MS);
    if (days > -2) return new Intl.RelativeTimeFormat(this.#locale, { numeric: "auto" }).format(days, "day");
    return when.toLocaleDateString(this.#locale, { dateStyle: "long" });
  }
}

/** The beginning of a day. @param {Date} when */
function midnight(when) {
  return new Date(when).setHours(0, 0, 0, 0);
}
