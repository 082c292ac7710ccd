import { icon, make, picture } from "../dom/elements.js";

/** @import {Strings} from "../locales/strings.js" */
/** @import {Settings} from "../settings.js" */

/** Icons of ours; any other word is the address of a picture. */
const ICONS = new Set(["chat", "question", "spark", "person"]);

/** The button that opens and closes a floating chat. */
export class Launcher {
  #strings;
  #opened = false;
  #unread = false;
  #words = "";

  /** @param {Strings} strings */
  constructor(strings) {
    this.#strings = strings;
    this.element = make("button", { type: "button", class: "launcher", part: "launcher", "data-action": "toggle" });
    this.#show();
  }

  /** @param {Settings} settings */
  dress(settings) {
    const sign = settings.get("launcherIcon") ?? "chat";
    this.#words = String(settings.get("launcherText") ?? "");
    const open = ICONS.has(sign) ? icon(sign) : picture(sign, "icon-own");
    open.classList.add("opens");
    this.element.replaceChildren(open, icon("close"));
    if (this.#words) open.after(make("span", { class: "opens", dir: "auto" }, this.#words));
    this.element.classList.toggle("worded", !!this.#words);
    this.#show();
  }

  /** @param {boolean} opened @param {boolean} unread whether an answer was not seen */
  show(opened, unread) {
    [this.#opened, this.#unread] = [opened, unread];
    this.#show();
  }

  #show() {
    const { open, openUnread, close } = this.#strings;
    const label = this.#opened ? close : this.#unread ? openUnread : open;
    this.element.setAttribute("aria-expanded", String(this.#opened));
    // Its visible text is part of its name (WCAG 2.5.3).
    this.element.setAttribute("aria-label", this.#words && !this.#opened ? `${this.#words}. ${label}` : label);
  }
}
