import { Announcer } from "./announcer.js";
import { countdown } from "../dom/countdown.js";
import { make } from "../dom/elements.js";

/** @import {Strings} from "../locales/strings.js" */
/** @import {LinkStatus, Message, StreamEvent} from "../../types.js" */

/** The notices beside the messages: the connection's state, errors, and all that a screen reader says. */
export class Notices {
  /** The state of the connection. */
  link = make("p", { class: "link", role: "status" });
  /** The errors that belong to no message. */
  problem = make("div", { class: "problem banner", hidden: true });
  spoken = make("div", { class: "unseen", "aria-live": "polite" });
  alert = make("div", { class: "unseen", role: "alert" });
  /** The code of what went wrong, while that is told. */
  complaint = "";
  #strings;
  #onChange;
  #announcer;

  /** @param {Strings} strings @param {() => void} onChange */
  constructor(strings, onChange) {
    this.#strings = strings;
    this.#onChange = onChange;
    this.#announcer = new Announcer(this.spoken, strings.codeBlock);
  }

  /** More of an answer. @param {string} text */
  append(text) {
    this.#announcer.add(text);
  }

  /** The answer is over, or left. */
  end() {
    this.#announcer.end();
  }

  /** @param {StreamEvent} event @param {Message[]} messages */
  event(event, messages) {
    if (event.type === "status") {
      this.say(event.message);
    } else if (event.type === "approval_required") {
      this.say(this.#strings.cards.approval.replace("{tool}", event.tool));
    } else if (event.type === "question") {
      this.say(event.text);
    } else if (event.type === "error") {
      this.sound(event.code);
    } else if (event.type === "done") {
      this.end();
      if (event.reason === "cancelled") this.say(this.#strings.stopped);
      else if (event.reason === "complete") this.say(this.#endingOf(messages.find(({ id }) => id === event.messageId)));
    }
  }

  /** @param {LinkStatus} status */
  connection(status) {
    const { reconnecting, offline } = this.#strings;
    const text = status === "reconnecting" ? reconnecting : status === "offline" ? offline : "";
    if (this.link.textContent !== text) this.link.textContent = text;
    if (status === "online" && this.complaint === "network_error") this.complain("");
  }

  /**
   * Something went wrong that belongs to no message; an empty code takes it back.
   * @param {string} code of docs/errors.md @param {number} [until] it is tried again then (milliseconds since 1970)
   */
  complain(code, until) {
    const text = code && this.#strings.sentence(code);
    this.complaint = code;
    this.sound(code);
    this.problem.hidden = !text;
    const again = make("button", { type: "button", "data-action": "reconnect" }, this.#strings.tryAgain);
    this.problem.replaceChildren(make("span", {}, text), until ? countdown(this.#strings, until) : again);
    this.#onChange();
  }

  /** The server answers again: what was said of that goes. */
  reached() {
    if (this.complaint) this.complain("");
  }

  /** Tell a screen reader at once what went wrong. @param {string} code of docs/errors.md */
  sound(code) {
    this.alert.textContent = code && this.#strings.sentence(code);
  }

  /** Tell a screen reader when it has time. @param {string} text */
  say(text) {
    this.#announcer.say(text);
  }

  /** How an answer ended, if not as it should. @param {Message | undefined} message */
  #endingOf(message) {
    return message ? this.#strings.problem(message) : "";
  }
}
