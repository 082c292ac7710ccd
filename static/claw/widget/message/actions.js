import { copy } from "./copy.js";
import { icon } from "../dom/elements.js";
import { nextFrame } from "../dom/frame.js";
import { Versions } from "./versions.js";

/** @import {Panel} from "../panel/panel.js" */
/** @import {Visit} from "../visit/visit.js" */
/** @import {Message} from "../../types.js" */

const COPIED_MS = 2000;

/** Those that are looked at. @type {WeakMap<Panel, Versions>} */
const looked = new WeakMap();

/** The actions of a shown message: copy it, rate it, see its earlier versions. */
export class MessageActions {
  #panel;
  #visit;
  #tell;
  #onError;

  /**
   * @param {Panel} panel @param {Visit} visit
   * @param {{tell: (name: string, detail: object) => boolean, onError: (error: unknown) => void}} options
   *   `tell` says whether the page lets it be
   */
  constructor(panel, visit, { tell, onError }) {
    this.#panel = panel;
    this.#visit = visit;
    this.#tell = tell;
    this.#onError = onError;
  }

  /** Copy a message: its text, and for programs that know formats what it looks like. @param {HTMLElement} button */
  copy(button) {
    const message = this.#panel.log.messageOf(button);
    const shown = button.closest(".assistant")?.querySelector(".body");
    if (message) void this.#copy(button, message.content, shown ?? null);
  }

  /** @param {HTMLElement} button of a block of code */
  copyCode(button) {
    const code = button.closest("figure")?.querySelector("code");
    if (code) void this.#copy(button, code.textContent ?? "", null);
  }

  /** Show an earlier or a later version of a question. @param {HTMLElement} button @param {-1 | 1} by */
  async turn(button, by) {
    const { log, notices, strings } = this.#panel;
    const message = log.messageOf(button);
    if (!message) return;
    try {
      let versions = looked.get(this.#panel);
      if (!versions?.includes(message)) versions = await Versions.of(this.#visit, message);
      looked.set(this.#panel, versions);
      const shown = versions.turn(by);
      log.turn(versions.question, shown);
      const [question = versions.question] = shown ?? [];
      // Its own buttons are there with the next frame: whoever turns goes on turning.
      nextFrame(() => {
        const buttons = log.elementOf(question)?.querySelectorAll(".versions button:not(:disabled)") ?? [];
        const same = [...buttons].find((each) => /** @type {HTMLElement} */ (each).dataset.action === button.dataset.action);
        /** @type {HTMLElement | undefined} */ (same ?? buttons[0])?.focus();
      });
      notices.say(strings.versions.of.replace("{number}", String(question.version)).replace("{count}", String(versions.count)));
    } catch (error) {
      this.#onError(error);
    }
  }

  /** Rate an answer, or take that back. @param {HTMLElement} button @param {"up" | "down"} rating */
  rate(button, rating) {
    const message = this.#panel.log.messageOf(button);
    if (!message) return;
    const wanted = message.feedback?.rating === rating ? null : rating;
    const onComment = (/** @type {string} */ comment) => {
      button.focus(); // what one has written in goes
      if (this.#feedback(message, rating, null, comment)) this.#panel.notices.say(this.#panel.strings.thanks);
    };
    this.#feedback(message, wanted, wanted && onComment);
  }

  /**
   * Whether the page let it be.
   * @param {Message} message @param {"up" | "down" | null} rating
   * @param {((comment: string) => void) | null} onComment @param {string} [comment]
   */
  #feedback(message, rating, onComment, comment) {
    if (!this.#tell("claw:feedback", { message, rating, comment })) return false;
    message.feedback = rating && { rating, comment };
    this.#panel.log.rated(message, onComment);
    this.#visit.client.messages.rate(message.id, rating, comment).catch(this.#onError);
    return true;
  }

  /** @param {HTMLElement} button @param {string} text @param {Element | null} shown */
  async #copy(button, text, shown) {
    try {
      await copy(text, shown, button);
    } catch (error) {
      return this.#onError(error); // a page may forbid it
    }
    this.#panel.notices.say(this.#panel.strings.copied);
    const picture = button.querySelector(".icon");
    const check = icon("check");
    picture?.replaceWith(check);
    button.classList.add("copied");
    setTimeout(() => {
      if (picture) check.replaceWith(picture);
      button.classList.remove("copied");
    }, COPIED_MS);
  }
}
