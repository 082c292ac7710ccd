import { make } from "./dom.js";
import { nextFrame } from "./frame.js";
import { MessageView } from "./message.js";

/** @import {Conversation} from "./conversation.js" */
/** @import {Change, Message} from "./types.js" */
/** @import {Strings} from "./i18n.js" */

/** The messages of a conversation as they stand on the page. */
export class Log {
  /** @type {Map<Message, MessageView>} */
  #views = new Map();
  #strings;
  #onCode;
  /** @type {Conversation | null} */
  #conversation = null;

  /** @param {Strings} strings @param {(block: HTMLElement) => void} onCode */
  constructor(strings, onCode) {
    this.#strings = strings;
    this.#onCode = onCode;
    // Silent by itself: the announcer says whole sentences.
    const attributes = { class: "log", role: "log", "aria-live": "off", "aria-busy": "false" };
    this.element = make("div", { ...attributes, "aria-label": strings.messages });
    const dots = [make("i"), make("i"), make("i")];
    this.waiting = make("div", { class: "waiting", hidden: true, role: "img", "aria-label": strings.working }, ...dots);
  }

  /** Show another conversation. @param {Conversation} conversation */
  show(conversation) {
    this.#conversation = conversation;
    this.#sync();
  }

  /** @param {Change} change */
  apply(change) {
    if (change.kind === "reset") return this.#sync();
    const view = this.#views.get(change.message);
    if (!view) return this.#sync();
    if (change.kind === "append") view.append(change.text);
    else view.update(change.message);
    nextFrame(this.#state);
  }

  /** The message that an element belongs to. @param {Element} element @returns {Message | undefined} */
  messageOf(element) {
    const article = element.closest("article");
    for (const [message, view] of this.#views) if (view.element === article) return message;
  }

  /** A message was rated; `onComment` is told why, if somebody says it. @param {Message} message @param {((comment: string) => void) | null} onComment */
  rated(message, onComment) {
    const view = this.#views.get(message);
    view?.update(message);
    view?.askWhy(onComment);
  }

  /** The views are the messages again, in their order; those that stay are not touched. */
  #sync() {
    const messages = this.#conversation?.messages ?? [];
    const wanted = new Set(messages);
    for (const [message, view] of this.#views) {
      if (wanted.has(message)) continue;
      view.element.remove();
      this.#views.delete(message);
    }
    /** @type {Element | null} */
    let place = this.element.firstElementChild;
    for (const message of messages) {
      const known = this.#views.get(message);
      const view = known ?? new MessageView(message, this.#strings, this.#onCode);
      if (known) view.update(message);
      else this.#views.set(message, view);
      if (view.element === place) place = place.nextElementSibling;
      else this.element.insertBefore(view.element, place);
    }
    nextFrame(this.#state);
  }

  #state = () => {
    const busy = this.#conversation?.isStreaming ?? false;
    const last = this.#conversation?.messages.at(-1);
    const said = last?.role === "assistant" && (last.content || last.thinking || !last.streaming);
    this.element.setAttribute("aria-busy", String(busy));
    this.waiting.hidden = !busy || !!said;
  };
}
