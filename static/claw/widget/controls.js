import { nextFrame } from "./dom/frame.js";
import { Place } from "./dom/place.js";

/** @import {ClawChat} from "./chat.js" */
/** @import {MessageActions} from "./message/actions.js" */
/** @import {Mount} from "./mount.js" */

/**
 * @typedef {{mount: () => Mount | null, restart: () => void, tell: (name: string, detail: object) => boolean}} ControlsOptions
 *   `tell` sends an event of the element, and says whether the page let it be
 */

/** The clicks and keys of a chat, and their effects. */
export class Controls {
  #host;
  #root;
  #options;

  /** @param {ClawChat} host @param {ShadowRoot} root @param {ControlsOptions} options */
  constructor(host, root, options) {
    this.#host = host;
    this.#root = root;
    this.#options = options;
  }

  start() {
    this.#root.addEventListener("click", this.#click);
    this.#host.addEventListener("keydown", this.#key);
  }

  stop() {
    this.#root.removeEventListener("click", this.#click);
    this.#host.removeEventListener("keydown", this.#key);
  }

  get #mount() {
    return this.#options.mount();
  }

  /** By the name in a button's `data-action`. @type {Record<string, (button: HTMLElement) => void>} */
  #actions = {
    toggle: () => (this.#host.hasAttribute("open") ? this.#host.close() : this.#host.open()),
    close: () => this.#host.close(),
    new: () => this.#host.newConversation(),
    history: () => this.#toggleHistory(),
    "close-history": () => this.#mount?.history?.close(),
    stop: () => this.#host.stop(),
    prompt: (button) => this.#host.send(button.textContent ?? ""),
    older: () => void this.#older(),
    reconnect: () => this.#reconnect(),
    continue: () => this.#host.send(this.#mount?.panel?.strings.pleaseContinue ?? ""),
    retry: () => void this.#mount?.visit.conversation?.retry(),
    "cancel-edit": () => this.#mount?.panel?.composer.back(),
    "copy-code": (button) => void this.#withMessage((messages) => messages.copyCode(button)),
    copy: (button) => void this.#withMessage((messages) => messages.copy(button)),
    edit: (button) => this.#edit(button),
    earlier: (button) => void this.#withMessage((messages) => messages.turn(button, -1)),
    later: (button) => void this.#withMessage((messages) => messages.turn(button, 1)),
    "thumb-up": (button) => void this.#withMessage((messages) => messages.rate(button, "up")),
    "thumb-down": (button) => void this.#withMessage((messages) => messages.rate(button, "down")),
  };

  #click = (/** @type {Event} */ event) => {
    const target = /** @type {Element} */ (event.target);
    const button = /** @type {HTMLElement | null} */ (target.closest("[data-action]"));
    if (button) return this.#act(button);
    const link = /** @type {HTMLAnchorElement | null} */ (target.closest(":is(.body, .sources) a[href]"));
    if (link) this.#leave(link, /** @type {MouseEvent} */ (event));
  };

  /** A link in an answer: one to the page's own site stays in the tab. @param {HTMLAnchorElement} link @param {MouseEvent} event */
  #leave(link, event) {
    if (!this.#options.tell("claw:link", { url: link.href })) return event.preventDefault();
    if (new URL(link.href).origin !== location.origin) return;
    link.removeAttribute("target");
    if (this.#mount?.place && Place.narrow && !event.ctrlKey && !event.metaKey) this.#host.close(); // the page is beneath
  }

  /** @param {HTMLElement} button */
  #act(button) {
    const byKeyboard = button.matches(":focus-visible");
    this.#actions[button.dataset.action ?? ""]?.(button);
    // Many a button goes when it has done its work: whoever was on it shall not be nowhere.
    if (byKeyboard) nextFrame(() => this.#root.activeElement?.checkVisibility() || this.#mount?.panel?.composer.focus());
  }

  #key = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Escape" || event.isComposing) return;
    const { visit, history, panel } = this.#mount ?? {};
    if (visit?.conversation?.isStreaming) this.#host.stop();
    else if (history?.opened) history.close();
    else if (panel?.composer.editing) panel.composer.back();
    else if (this.#host.floating) this.#host.close();
    else return;
    event.preventDefault();
  };

  /** Write a message anew; at once, or what is typed meanwhile would be overwritten. @param {HTMLElement} button */
  #edit(button) {
    const panel = this.#mount?.panel;
    const message = panel?.log.messageOf(button);
    if (!panel || !message) return;
    panel.composer.edit(message.content, message.id);
    panel.composer.focus();
  }

  async #older() {
    const mount = this.#mount;
    try {
      if (mount?.visit.conversation) await mount.panel?.older(mount.visit.conversation);
    } catch (error) {
      mount?.failed(error);
    }
  }

  #reconnect() {
    const { visit, panel } = this.#mount ?? {};
    if (!panel?.greeted) return this.#options.restart();
    panel.notices.complain("");
    if (visit?.opened) visit.show(visit.conversation?.id ?? null);
    else void this.#mount?.connect(true);
  }

  #toggleHistory() {
    const history = this.#mount?.history;
    if (history?.opened) history.close();
    else void history?.open();
  }

  /** Done with a message; what does it is loaded when it is first wanted. @param {(messages: MessageActions) => void} act */
  async #withMessage(act) {
    const mount = this.#mount;
    if (!mount?.panel) return;
    try {
      const { MessageActions } = await import("./message/actions.js");
      const { tell } = this.#options;
      act(new MessageActions(mount.panel, mount.visit, { tell, onError: (error) => mount.failed(error) }));
    } catch (error) {
      mount.failed(error);
    }
  }
}
