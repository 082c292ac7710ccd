import { icon, iconButton, make } from "../dom/elements.js";
import { countdown } from "../dom/countdown.js";
import { whyForm } from "./feedback.js";
import { buttons, fullMoment } from "./buttons.js";
import { nextFrame } from "../dom/frame.js";
import { Body } from "./body.js";

/** @import {Cards, Desk} from "./cards/cards.js" */
/** @import {Message} from "../../types.js" */
/** @import {Strings} from "../locales/strings.js" */

/** @type {Promise<typeof import("./cards/cards.js")> | null} */
let loading = null;

/** The same message would be refused again. */
const UNSENDABLE = new Set(["message_too_large", "invalid_message"]);

/**
 * One message of the log. From top to bottom: thinking, status lines, tool calls, the text,
 * what it asks, sources, what went wrong, and what can be done with it.
 */
export class MessageView {
  /** @type {Message} */
  #message;
  #strings;
  #desk;
  #body;
  #problem = make("div", { class: "problem" });
  #actions = make("div", { class: "actions" });
  /** Why it was rated as it was. @type {HTMLElement | null} */
  #why = null;
  /** @type {Text | null} */
  #thinking = null;
  /** @type {HTMLElement | null} */
  #steps = null;
  #step = ""; // what the last of them says
  #offered = false;
  /** @type {Cards | null} */
  #cards = null;

  /** @param {Message} message @param {Strings} strings @param {(block: HTMLElement) => void} onCode @param {Desk} desk */
  constructor(message, strings, onCode, desk) {
    this.#desk = desk;
    this.#message = message;
    this.#strings = strings;
    const onReady = () => nextFrame(this.#draw);
    this.#body = new Body(message.role, { labels: strings.markdown, onCode, onReady });
    const who = make("span", { class: "unseen" }, message.role === "user" ? strings.you : strings.assistant);
    this.element = make("article", { class: `message ${message.role}` }, who, this.#body.element, this.#problem, this.#actions);
    this.update(message);
  }

  /** Stand where the first word will be. @param {HTMLElement} sign */
  await(sign) {
    const { element } = this.#body;
    if (sign.nextElementSibling !== element) element.before(sign);
  }

  /** Text has arrived. @param {string} text */
  append(text) {
    this.#body.append(text);
    nextFrame(this.#draw);
  }

  /** Anything may have changed. @param {Message} message */
  update(message) {
    this.#message = message;
    this.#body.set(message.content);
    if (message.progress && message.progress.message !== this.#step) this.#begin(message.progress.message);
    nextFrame(this.#draw);
  }

  /** Ask why it was rated so, or nothing any more. @param {((comment: string) => void) | null} onComment */
  askWhy(onComment) {
    this.#why?.remove();
    const rating = this.#message.feedback?.rating;
    this.#why = rating && onComment ? whyForm(this.#strings, rating, onComment) : null;
    if (this.#why) this.element.append(this.#why);
  }

  /** A line about what the agent is doing; the one before it is done. @param {string} text */
  #begin(text) {
    this.#step = text;
    nextFrame(() => {
      if (!this.#steps) {
        this.#steps = make("ul", { class: "steps" });
        this.#body.element.before(this.#steps);
      }
      this.#stepsDone();
      this.#steps.append(make("li", { class: "working" }, icon("check"), make("span", { dir: "auto" }, text)));
    });
  }

  /** Write what waits, and show the state that the message is in. */
  #draw = () => {
    const message = this.#message;
    this.#body.draw(!message.streaming);
    this.#showThinking(message);
    this.#showCards(message);
    if (!this.#body.complete) nextFrame(this.#draw);
    const streaming = !!message.streaming || !this.#body.complete;
    if (!streaming || message.content) this.#stepsDone();
    const { classList } = this.element;
    const typing = streaming && message.status !== "waiting";
    classList.toggle("streaming", typing);
    this.#body.point(typing && message.role === "assistant");
    classList.toggle("empty", !message.content);
    classList.toggle("sending", message.status === "sending");
    classList.toggle("cancelled", message.status === "cancelled");
    classList.toggle("cut", message.role === "assistant" && message.status === "completed");
    this.#showProblem(message, streaming);
    this.#showActions(message, streaming);
    if (!streaming && message.content && message.role === "assistant") this.#offer(message);
  };

  /** The page may show a complete answer in its own way. @param {Message} message */
  #offer(message) {
    if (this.#offered) return;
    this.#offered = true;
    const { element } = this.#body;
    element.dispatchEvent(new CustomEvent("claw:render", { bubbles: true, composed: true, detail: { message, element } }));
  }

  /** @param {Message} message */
  #showThinking({ thinking, streaming, content }) {
    if (!thinking) return;
    if (!this.#thinking) {
      this.#thinking = document.createTextNode("");
      const summary = make("summary", {}, make("span", {}, this.#strings.thinking));
      const text = make("div", { dir: "auto" }, this.#thinking);
      this.element.querySelector(".unseen")?.after(make("details", { class: "thinking" }, summary, text));
    }
    const { length } = this.#thinking;
    if (thinking.length > length) this.#thinking.appendData(thinking.slice(length));
    const summary = this.element.querySelector("summary span");
    const label = streaming && !content ? this.#strings.thinking : this.#strings.thought;
    if (summary && summary.textContent !== label) summary.textContent = label;
  }

  /** The agent's work beside writing; most messages have none. @param {Message} message */
  #showCards(message) {
    if (this.#cards) return this.#cards.show(message);
    if (!message.tools.length && !message.sources.length && !message.pending?.length && !message.context) return;
    loading ??= import("./cards/cards.js");
    loading.then(({ Cards }) => {
      if (!this.#cards) nextFrame(this.#draw);
      this.#cards ??= new Cards(this.#strings, this.#body.element, this.#desk);
    }).catch((error) => {
      console.warn("Clawsite: tool calls and sources are not shown:", error);
      loading = null; // the next change tries it again
    });
  }

  #stepsDone() {
    this.#steps?.querySelector(".working")?.classList.remove("working");
  }

  /** @param {Message} message @param {boolean} streaming */
  #showProblem(message, streaming) {
    const text = streaming ? "" : this.#strings.problem(message);
    const shown = `${text}${message.retryAt ?? ""}`;
    if (this.#problem.dataset.shown === shown) return;
    this.#problem.dataset.shown = shown;
    this.#problem.replaceChildren();
    if (!text) return;
    this.#problem.append(make("span", {}, text));
    if (message.retryAt) this.#problem.append(countdown(this.#strings, message.retryAt));
    else if (message.status !== "cancelled") this.#problem.append(this.#wayOn(message));
  }

  /** A message that was refused for good can only be written anew; one that was cut can go on. @param {Message} message */
  #wayOn({ role, error, stopReason }) {
    const s = this.#strings;
    let [action, label] = ["retry", s.tryAgain];
    if (role === "user" && UNSENDABLE.has(error?.code ?? "")) [action, label] = ["edit", s.editUnsent];
    else if (stopReason === "max_tokens") [action, label] = ["continue", s.continue];
    else if (stopReason === "context_window_exceeded") [action, label] = ["new", s.newChat];
    return make("button", { type: "button", "data-action": action }, label);
  }

  /** @param {Message} message @param {boolean} streaming */
  #showActions(message, streaming) {
    const settled = !streaming && message.content && (message.role === "assistant" || message.status === "completed");
    if (!settled) return this.#actions.replaceChildren();
    if (!this.#actions.firstChild) this.#actions.append(...buttons(this.#strings, message));
    // Beside a question there is no room for its time.
    if (message.role === "user" && message.createdAt) this.#body.element.title = fullMoment(this.#strings, message.createdAt);
    for (const rating of ["up", "down"]) {
      const thumb = this.#actions.querySelector(`[data-action="thumb-${rating}"]`);
      thumb?.setAttribute("aria-pressed", String(message.feedback?.rating === rating));
    }
  }
}
