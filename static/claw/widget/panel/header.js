import { iconButton, make, picture } from "../dom/elements.js";

/** @import {Strings} from "../locales/strings.js" */
/** @import {Settings} from "../settings.js" */

/** The top line of a chat: whose it is, and what can be done with it. */
export class Header {
  #brand = make("div", { class: "brand" });
  #title = make("h2", { class: "title" });

  /** @param {Strings} strings */
  constructor(strings) {
    this.history = iconButton("history", strings.history);
    /** Where further buttons stand. */
    this.tools = make("div", { class: "tools" }, iconButton("new", strings.newChat), iconButton("close", strings.close));
    this.#brand.append(this.#title);
    this.element = make("header", {}, this.history, this.#brand, this.tools);
  }

  /** @param {string} name @param {Settings} settings */
  show(name, settings) {
    const [avatar, logo] = [settings.get("avatar"), settings.get("logo")];
    // A name in other letters stands where names stand here.
    this.#title.replaceChildren(logo ? picture(logo, "logo", name) : make("bdi", {}, name));
    this.#brand.replaceChildren(...(avatar ? [picture(avatar, "avatar")] : []), this.#title);
  }
}
