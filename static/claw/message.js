import { icon, iconButton, make } from "./dom.js";
import { whyForm } from "./feedback.js";
import { nextFrame } from "./frame.js";
import { Markdown } from "./markdown.js";

/** @import {Message} from "./types.js" */
/** @import {Strings} from "./i18n.js" */

/** So many characters are written in one frame at most: a long history stays below a long task. */
const SLICE = 6000;

/**
 * One message of the log. From top to bottom: thinking, status lines, (tool calls, approvals,)
 * the text, (sources,) what went wrong, and what can be done with it.
 */
export class MessageView {
  /** @type {Message} */
  #message;
  #strings;
  #onCode;
  #body = make("div", { class: "body", dir: "auto" });
  #problem = make("div", { class: "problem" });
  #actions = make("div", { class: "actions" });
  /** Why it was rated as it was. @type {HTMLElement | null} */
  #why = null;
  /** @type {Text | null} */
  #thinking = null;
  /** @type {HTMLElement | null} */
  #steps = null;
  #step = ""; // what the last of them says
  /** @type {Markdown | null} */
  #markdown = null;
  #shown = ""; // the text that stands there, or soon will
  #pending = "";
  #ended = false;

  /** @param {Message} message @param {Strings} strings @param {(block: HTMLElement) => void} onCode */
  constructor(message, strings, onCode) {
    this.#message = message;
    this.#strings = strings;
    this.#onCode = onCode;
    const who = make("span", { class: "unseen" }, message.role === "user" ? strings.you : strings.assistant);
    this.element = make("article", { class: `message ${message.role}` }, who, this.#body, this.#problem, this.#actions);
    this.update(message);
  }

  get message() {
    return this.#message;
  }

  /** Text has arrived. @param {string} text */
  append(text) {
    this.#shown += text;
    this.#pending += text;
    nextFrame(this.#draw);
  }

  /** Anything may have changed. @param {Message} message */
  update(message) {
    this.#message = message;
    if (message.content !== this.#shown) {
      if (message.content.startsWith(this.#shown)) {
        this.#pending += message.content.slice(this.#shown.length);
      } else {
        this.#restart();
        this.#pending = message.content;
      }
      this.#shown = message.content;
    }
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
        this.#body.before(this.#steps);
      }
      this.#stepsDone();
      this.#steps.append(make("li", { class: "working" }, icon("check"), make("span", {}, text)));
    });
  }

  /** Write what waits, and show the state that the message is in. */
  #draw = () => {
    const message = this.#message;
    const last = this.#pending.charCodeAt(SLICE - 1);
    const cut = SLICE + (last >= 0xd800 && last < 0xdc00 ? 1 : 0); // not within a character
    const piece = this.#pending.slice(0, cut);
    this.#pending = this.#pending.slice(cut);
    if (piece) this.#write(piece);
    this.#showThinking(message);
    if (this.#pending) nextFrame(this.#draw);
    const streaming = !!message.streaming || !!this.#pending;
    if (!streaming && !this.#ended) {
      this.#ended = true;
      this.#markdown?.end();
    }
    if (!streaming || message.content) this.#stepsDone();
    const { classList } = this.element;
    classList.toggle("streaming", streaming);
    classList.toggle("empty", !message.content);
    classList.toggle("sending", message.status === "sending");
    classList.toggle("cancelled", message.status === "cancelled");
    this.#showProblem(message, streaming);
    this.#showActions(message, streaming);
  };

  /** @param {string} piece */
  #write(piece) {
    if (this.#message.role === "user") return this.#body.append(piece);
    this.#markdown ??= new Markdown(this.#body, { copyLabel: this.#strings.copy, onCode: this.#onCode });
    this.#markdown.write(piece);
  }

  #restart() {
    this.#body.replaceChildren();
    this.#markdown = null;
    this.#ended = false;
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

  #stepsDone() {
    this.#steps?.querySelector(".working")?.classList.remove("working");
  }

  /** @param {Message} message @param {boolean} streaming */
  #showProblem(message, streaming) {
    const text = streaming ? "" : this.#strings.problem(message);
    if (this.#problem.dataset.text === text) return;
    this.#problem.dataset.text = text;
    this.#problem.replaceChildren();
    if (!text) return;
    this.#problem.append(make("span", {}, text));
    if (message.status === "cancelled") return;
    const again = make("button", { type: "button", "data-action": "retry" }, this.#strings.tryAgain);
    this.#problem.append(again);
  }

  /** @param {Message} message @param {boolean} streaming */
  #showActions(message, streaming) {
    const settled = !streaming && message.content && (message.role === "assistant" || message.status === "completed");
    if (!settled) return this.#actions.replaceChildren();
    if (!this.#actions.firstChild) this.#actions.append(...this.#buttons(message.role));
    for (const rating of ["up", "down"]) {
      const thumb = this.#actions.querySelector(`[data-action="thumb-${rating}"]`);
      thumb?.setAttribute("aria-pressed", String(message.feedback?.rating === rating));
    }
  }

  /** What can be done with a message. @param {Message["role"]} role */
  #buttons(role) {
    const s = this.#strings;
    const copy = iconButton("copy", s.copy);
    if (role === "user") return [copy, iconButton("edit", s.edit)];
    return [copy, iconButton("thumb-up", s.good), iconButton("thumb-down", s.bad), iconButton("retry", s.retry)];
  }
}
