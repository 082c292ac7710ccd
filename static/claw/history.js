import { iconButton, make } from "./dom.js";

/** @import {ClawClient} from "./client.js" */
/** @import {ConversationInfo} from "./types.js" */
/** @import {Strings} from "./i18n.js" */

/** The visitor's conversations: open, rename, delete. Loaded when it is first opened. */
export class History {
  #client;
  #strings;
  #locale;
  #onOpen;
  #onDelete;
  #onError;
  #list = make("ul");

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
    this.element = make("nav", { class: "history", "aria-label": strings.history }, head, this.#list);
    this.#list.addEventListener("click", this.#click);
    this.#list.addEventListener("keydown", this.#key);
  }

  /** Ask the server anew; `current` is the one that is open. @param {string | null} current */
  async load(current) {
    const { conversations } = await this.#client.conversations.list({ limit: 100 });
    this.#list.replaceChildren(...conversations.map((info) => this.#row(info, info.id === current)));
    this.#sayIfEmpty();
  }

  focus() {
    this.element.querySelector("button")?.focus();
  }

  #sayIfEmpty() {
    if (!this.#list.firstChild) this.#list.append(make("li", { class: "none" }, this.#strings.noHistory));
  }

  /** @param {ConversationInfo} info @param {boolean} current */
  #row({ id, title, lastMessageAt, createdAt }, current) {
    const s = this.#strings;
    const when = new Date(lastMessageAt ?? createdAt);
    const time = make("time", { datetime: when.toISOString(), title: when.toLocaleString(this.#locale) }, this.#ago(when));
    const name = make("span", { class: "name", dir: "auto" }, title || s.untitled);
    const open = make("button", { type: "button", "data-action": "show", "aria-current": current && "true" }, name, time);
    return make("li", { "data-id": id }, open, iconButton("rename", s.rename, "edit"), iconButton("delete", s.delete, "trash"));
  }

  /** @param {Date} when */
  #ago(when) {
    const days = Math.round((when.getTime() - Date.now()) / 86_400_000);
    if (days < -30) return when.toLocaleDateString(this.#locale);
    return new Intl.RelativeTimeFormat(this.#locale, { numeric: "auto" }).format(days, "day");
  }

  #click = (/** @type {Event} */ event) => {
    const button = /** @type {Element} */ (event.target).closest("button");
    const row = button?.closest("li");
    const id = row?.dataset.id;
    if (!button || !row || !id) return;
    switch (button.dataset.action) {
      case "show":
        return this.#onOpen(id);
      case "rename":
        return this.#rename(row, id);
      case "delete":
        return this.#ask(row, id);
    }
  };

  #key = (/** @type {KeyboardEvent} */ event) => {
    const row = /** @type {Element} */ (event.target).closest("li");
    if (event.key !== "Escape" || !row?.querySelector("form")) return;
    event.stopPropagation();
    this.#close(row);
  };

  /** @param {HTMLElement} row @param {string} id */
  #rename(row, id) {
    const name = row.querySelector(".name");
    const input = /** @type {HTMLInputElement} */ (make("input", { "aria-label": this.#strings.rename, dir: "auto", maxlength: 200 }));
    input.value = name?.textContent ?? "";
    this.#form(row, [input], this.#strings.save, async () => {
      const title = input.value.trim();
      if (title && name) {
        await this.#client.conversations.rename(id, title);
        name.textContent = title;
      }
      this.#close(row);
    });
    input.select();
  }

  /** @param {HTMLElement} row @param {string} id */
  #ask(row, id) {
    const title = row.querySelector(".name")?.textContent ?? "";
    const question = make("p", {}, this.#strings.deleteAsk.replace("{title}", title));
    this.#form(row, [question], this.#strings.delete, async () => {
      await this.#client.conversations.delete(id);
      row.remove();
      this.#sayIfEmpty();
      this.focus();
      this.#onDelete(id);
    });
    row.querySelector("form button")?.classList.add("danger");
  }

  /** @param {HTMLElement} row @param {Node[]} parts @param {string} label @param {() => Promise<void>} submit */
  #form(row, parts, label, submit) {
    const cancel = make("button", { type: "button" }, this.#strings.cancel);
    cancel.addEventListener("click", () => this.#close(row));
    const form = make("form", {}, ...parts, make("button", { type: "submit" }, label), cancel);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      submit().catch(this.#onError);
    });
    row.querySelector("form")?.remove();
    row.append(form);
    row.classList.add("asking");
    /** @type {HTMLElement | null} */ (form.querySelector("input, button"))?.focus();
  }

  /** @param {Element} row */
  #close(row) {
    row.querySelector("form")?.remove();
    row.classList.remove("asking");
    row.querySelector("button")?.focus();
  }
}
