import { arrange, make } from "../dom/elements.js";
import { nextFrame } from "../dom/frame.js";
import { MessageView } from "./message.js";

/** @import {Conversation} from "../../client/conversation.js" */
/** @import {Change, Message} from "../../types.js" */
/** @import {Desk} from "./cards/cards.js" */
/** @import {Strings} from "../locales/strings.js" */

/** The messages of a conversation as they stand on the page. */
export class Log {
  /** @type {Map<Message, MessageView>} */
  #views = new Map();
  #strings;
  #onCode;
  /** @type {Conversation | null} */
  #conversation = null;
  /** The version that is shown in place of a question and all that follows it. @type {{question: Message, messages: Message[]} | null} */
  #instead = null;

  /** @param {Strings} strings @param {(block: HTMLElement) => void} onCode */
  constructor(strings, onCode) {
    this.#strings = strings;
    this.#onCode = onCode;
    // Silent by itself: the announcer says whole sentences.
    const attributes = { class: "log", role: "log", "aria-live": "off", "aria-busy": "false" };
    this.element = make("div", { ...attributes, "aria-label": strings.messages });
    const dots = [make("i"), make("i"), make("i")];
    /** Shown where the first word of an answer will be. */
    this.waiting = make("div", { class: "waiting", hidden: true, role: "img", "aria-label": strings.working }, ...dots);
  }

  /** @type {Desk} */
  #desk = {
    approve: async (id, verdict) => this.#conversation?.approve(id, verdict),
    revoke: async (id) => this.#conversation?.revoke(id),
    answer: async (id, text) => this.#conversation?.answer(id, text),
    decline: async (id) => this.#conversation?.decline(id),
  };

  /** Show another conversation. @param {Conversation} conversation */
  show(conversation) {
    this.#conversation = conversation;
    this.#instead = null;
    this.#sync();
  }

  /** @param {Change} change */
  apply(change) {
    if (change.kind === "reset") return this.#sync();
    const view = this.#views.get(change.message);
    if (!view) {
      this.#instead = null; // something is said: that is seen
      return this.#sync();
    }
    if (change.kind === "append") view.append(change.text);
    else view.update(change.message);
    nextFrame(this.#state);
  }

  /** Show an earlier version of a question with its answer, or the conversation again. @param {Message} question @param {Message[] | null} messages */
  turn(question, messages) {
    this.#instead = messages && { question, messages };
    this.#sync();
  }

  /** The element of a message. @param {Message} message */
  elementOf(message) {
    return this.#views.get(message)?.element;
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
    const messages = this.#shown();
    const known = this.#views;
    this.#views = new Map();
    for (const message of messages) {
      const view = known.get(message);
      view?.update(message);
      this.#views.set(message, view ?? new MessageView(message, this.#strings, this.#onCode, this.#desk));
    }
    const elements = [...this.#views.values()].map(({ element }) => element);
    if (this.waiting.parentNode === this.element) elements.push(this.waiting);
    arrange(this.element, elements);
    nextFrame(this.#state);
  }

  #shown() {
    const messages = this.#conversation?.messages ?? [];
    const at = this.#instead ? messages.indexOf(this.#instead.question) : -1;
    if (at < 0) this.#instead = null;
    return this.#instead ? [...messages.slice(0, at), ...this.#instead.messages] : messages;
  }

  #state = () => {
    const last = this.#conversation?.messages.at(-1);
    const busy = last?.status !== "waiting" && (this.#conversation?.isStreaming ?? false);
    const said = last?.role === "assistant" && (last.content || last.thinking || !last.streaming);
    const told = said || last?.retryAt; // what is waited for
    this.element.setAttribute("aria-busy", String(busy));
    this.waiting.hidden = !busy || !!told;
    if (this.waiting.hidden) return;
    const answer = last?.role === "assistant" && this.#views.get(last);
    if (answer) answer.await(this.waiting);
    else if (this.waiting !== this.element.lastChild) this.element.append(this.waiting);
  };
}
