/** @import {Visit} from "../visit/visit.js" */
/** @import {Message} from "../../types.js" */

const PAGE = 100;

/** The versions of a question before it was edited, or answered anew. */
export class Versions {
  /** Each a question and its answer, the oldest first; the last is what stands in the conversation. @type {Message[][]} */
  #all;
  #at;

  /** @param {Message} question @param {Message[][]} all */
  constructor(question, all) {
    this.question = question;
    this.#all = all;
    this.#at = all.length - 1;
  }

  /** Ask the server. Rejects with a ClawError. @param {Visit} visit @param {Message} question */
  static async of(visit, question) {
    const { messages } = await visit.client.messages.versions(question.id, { limit: PAGE });
    /** @type {Message[][]} */
    const all = [];
    for (const message of messages) {
      if (message.role === "user") all.push([message]);
      else all.at(-1)?.push(message);
    }
    for (const [number, pair] of all.entries()) for (const message of pair) Object.assign(message, { version: number + 1, versions: all.length });
    return new Versions(question, all);
  }

  /** Whether it has this message. @param {Message} message */
  includes(message) {
    return message === this.question || this.#all.some((pair) => pair.includes(message));
  }

  get count() {
    return this.#all.length;
  }

  /** Go to an earlier or later one. @param {number} by @returns {Message[] | null} what is shown; null for the conversation itself */
  turn(by) {
    this.#at = Math.max(0, Math.min(this.#all.length - 1, this.#at + by));
    return this.#at === this.#all.length - 1 ? null : this.#all[this.#at];
  }
}
