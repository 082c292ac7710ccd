import { ClawError } from "./errors.js";
import { bodyOf } from "./messages.js";

/** @import {Ask} from "./link/following.js" */
/** @import {Link} from "./link/link.js" */
/** @import {Run, Sink} from "./run.js" */
/** @import {Message, Request} from "../types.js" */

/**
 * @typedef {{ask: Ask | null, message: Message, runId?: string, settle(message: Message): void}} Sent
 *   `ask` is null if it could not be asked at all; `runId` is the run that answers it
 */

/** The messages that were sent here and wait for their answers. */
export class Outbox {
  #link;
  #options;
  /** By the name that a message has here, `clientMessageId`. @type {Map<string, Sent>} */
  #sent = new Map();
  /** The messages that those of this name take the place of. @type {Map<string, string>} */
  #replaced = new Map();

  /**
   * @param {Link} link
   * @param {{sink: Sink, onChange: (message: Message) => void, onRefused: (error: ClawError) => void}} options
   *   `sink` hears what comes of it; `onChange` of each message whose state is another
   */
  constructor(link, options) {
    this.#link = link;
    this.#options = options;
  }

  get empty() {
    return !this.#sent.size;
  }

  /** @param {string | undefined} name */
  has(name = "") {
    return this.#sent.has(name);
  }

  /** The id of the message that the one of this name takes the place of. @param {string | undefined} name */
  replaced(name = "") {
    return this.#replaced.get(name);
  }

  /**
   * Send a message of the user. Resolves with what it is settled with: its answer, or the message
   * itself if it was refused.
   * @param {Message} message @param {{conversationId?: string, replaces?: string, ifBusy?: Request["ifBusy"]}} options
   * @returns {Promise<Message>}
   */
  send(message, { conversationId, replaces, ifBusy }) {
    const { content, context, clientMessageId = "" } = message;
    if (replaces) this.#replaced.set(clientMessageId, replaces);
    return new Promise((settle) => {
      try {
        const request = { content, context, conversationId, clientMessageId, replaces, ifBusy };
        const ask = this.#link.ask(request, this.#options.sink);
        this.#sent.set(clientMessageId, { ask, message, settle });
      } catch (problem) {
        this.#sent.set(clientMessageId, { ask: null, message, settle });
        this.refused(clientMessageId, ClawError.from(problem));
      }
    });
  }

  /** Stop all of it. */
  cancel() {
    for (const { ask } of this.#sent.values()) if (ask) this.#link.cancel(ask);
  }

  /** A message did not get there. @param {string} name @param {ClawError} error */
  refused(name, error) {
    const message = this.#sent.get(name)?.message;
    if (!message) return;
    Object.assign(message, { status: "failed", error: bodyOf(error), retryAt: undefined });
    this.#options.onChange(message);
    this.settle(name, message);
    this.#options.onRefused(error);
  }

  /** The server asks to wait; whether that is about a message of ours. @param {string} name @param {ClawError} error @param {number} until */
  delayed(name, error, until) {
    const message = this.#sent.get(name)?.message;
    if (!message) return false;
    Object.assign(message, { error: bodyOf(error), retryAt: until });
    this.#options.onChange(message);
    return true;
  }

  /** A message that was sent here has become a run. @param {Run} run */
  adopted(run) {
    const sent = this.#sent.get(run.clientMessageId ?? "");
    if (!sent || sent.runId) return;
    const { message } = sent;
    sent.runId = run.id;
    Object.assign(message, { runId: run.id, status: "completed", error: null, retryAt: undefined });
    this.#options.onChange(message);
  }

  /** A message that was sent here, and had this run, has joined another run. @param {string} runId @param {string} other */
  joined(runId, other) {
    for (const sent of this.#sent.values()) if (sent.runId === runId) sent.runId = other;
  }

  /** A run is over: what waited for it has its answer. @param {Run} run @param {Message} answer */
  ended(run, answer) {
    for (const [name, { runId }] of this.#sent) {
      if (runId === run.id || name === run.clientMessageId) this.settle(name, answer);
    }
  }

  /** It waits no more. @param {string} name @param {Message} message what its sender gets */
  settle(name, message) {
    const sent = this.#sent.get(name);
    this.#sent.delete(name);
    sent?.settle(message);
  }

  /** The connection has ended: each sender gets the message back. */
  close() {
    for (const [name, { message }] of this.#sent) this.settle(name, message);
  }
}
