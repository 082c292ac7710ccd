import { make } from "./dom/elements.js";
import { nextFrame } from "./dom/frame.js";

/** So many events are kept; beyond them the oldest go. */
const KEPT = 500;

/**
 * `<claw-wire for="chat">`: every event of a `<claw-chat>` as it arrives, with the milliseconds
 * since the question and since the event before it.
 */
export class ClawWire extends HTMLElement {
  /** @type {HTMLElement[]} */
  #waiting = [];
  #list = make("ol");
  #began = 0;
  #last = 0;
  /** @type {Element | null} */
  #chat = null;

  connectedCallback() {
    this.replaceChildren(this.#list);
    this.#chat = document.getElementById(this.getAttribute("for") ?? "") ?? document.querySelector("claw-chat");
    this.#chat?.addEventListener("claw:send", this.#sent);
    this.#chat?.addEventListener("claw:event", this.#arrived);
  }

  disconnectedCallback() {
    this.#chat?.removeEventListener("claw:send", this.#sent);
    this.#chat?.removeEventListener("claw:event", this.#arrived);
  }

  #sent = () => {
    this.#began = this.#last = performance.now();
  };

  #arrived = (/** @type {Event} */ event) => {
    const { detail } = /** @type {CustomEvent} */ (event);
    const now = performance.now();
    const { type, runId, conversationId, messageId, ...fields } = detail;
    this.#began ||= now;
    const time = make("span", { class: "time" }, String(Math.round(now - this.#began)));
    const gap = make("span", { class: "gap" }, `+${Math.round(now - (this.#last || now))}`);
    const row = [time, gap, make("strong", {}, type), make("code", { dir: "ltr" }, JSON.stringify(fields))];
    this.#last = now;
    this.#waiting.push(make("li", { class: type, title: runId }, ...row));
    nextFrame(this.#write);
  };

  #write = () => {
    const { scrollHeight, clientHeight, scrollTop } = this;
    const near = scrollHeight - clientHeight - scrollTop < 100;
    this.#list.append(...this.#waiting.splice(0));
    while (this.#list.childElementCount > KEPT) this.#list.firstElementChild?.remove();
    if (near) this.scrollTo(0, this.scrollHeight);
  };
}

customElements.define("claw-wire", ClawWire);
