import { adopt, sheet } from "../styles/sheet.js";

/** @import {Panel} from "../panel/panel.js" */
/** @import {Strings} from "../locales/strings.js" */
/** @import {Visit} from "../visit/visit.js" */
/** @import {History} from "./history.js" */

/** The history where it stands in the chat: loaded when it is first opened, shown and put away. */
export class Drawer {
  #host;
  #panel;
  #visit;
  #options;
  /** @type {History | null} */
  #history = null;

  /**
   * @param {HTMLElement} host its attribute `history` says whether the history is shown
   * @param {Panel} panel @param {Visit} visit
   * @param {{strings: Strings, locale: string, onError: (error: unknown) => void}} options
   */
  constructor(host, panel, visit, options) {
    this.#host = host;
    this.#panel = panel;
    this.#visit = visit;
    this.#options = options;
    this.#mark(false);
  }

  get opened() {
    return this.#host.hasAttribute("history");
  }

  /** Show what the server has now. */
  async open() {
    this.#mark(true);
    try {
      this.#history ??= await this.#make();
      if (this.opened) this.#history.focus();
      await this.#history.load(this.#visit.conversation?.id ?? null);
    } catch (error) {
      this.close();
      this.#options.onError(error);
    }
  }

  /** Put it away; the focus that was in it goes to its button. */
  close() {
    const within = this.#host.shadowRoot?.activeElement?.closest(".history");
    this.#mark(false);
    if (within) this.#panel.header.history.focus();
  }

  async #make() {
    const [{ History }, style] = await Promise.all([import("./history.js"), sheet("history")]);
    const { strings, locale, onError } = this.#options;
    const history = new History(this.#visit.client, strings, {
      ...{ locale, onError },
      onOpen: (id) => {
        this.#visit.show(id);
        this.close();
      },
      onDelete: (id) => id === this.#visit.conversation?.id && this.#visit.show(null),
    });
    adopt(this.#panel.element, style);
    this.#panel.element.prepend(history.element);
    return history;
  }

  /** @param {boolean} opened */
  #mark(opened) {
    this.#host.toggleAttribute("history", opened);
    this.#panel.header.history.setAttribute("aria-expanded", String(opened));
  }
}
