import { ClawError } from "./errors.js";

/** @import {Ask} from "./link/following.js" */
/** @import {Link} from "./link/link.js" */
/** @import {Run} from "./run.js" */
/** @import {Message, Request, StreamEvent, Token} from "../types.js" */

/** Events that wait for their reader, from which on neighbouring tokens are put together. */
const MAX_WAITING = 1000;

/**
 * One answer as it comes: an async iterator of events. Leaving the loop leaves the answer alone;
 * aborting the signal stops it on the server, and rejects with the signal's reason.
 * @implements {AsyncIterableIterator<StreamEvent>}
 */
export class Answer {
  /** Its events are the protocol's; known with the first of them. @type {string | null} */
  runId = null;
  /** The message so far, as in REST history. @type {Message | null} */
  message = null;
  /** @type {string | null} */
  conversationId = null;
  /** @type {StreamEvent[]} */
  #events = [];
  /** @type {unknown} */
  #problem = null;
  #over = false;
  /** @type {(() => void) | null} */
  #wake = null;
  #link;
  /** @type {Ask | null} */
  #ask = null;
  #rename;
  #signal;

  /**
   * @param {Link} link
   * @param {Request} request
   * @param {{signal?: AbortSignal, rename?: (event: StreamEvent) => StreamEvent}} [options]
   */
  constructor(link, request, { signal, rename = (event) => event } = {}) {
    this.#link = link;
    this.#signal = signal;
    this.#rename = rename;
    const failed = (/** @type {ClawError} */ error) => this.#end(error);
    if (signal?.aborted) {
      this.#end(signal.reason);
    } else {
      this.#ask = link.ask(request, { event: (event, run) => this.#take(event, run), failed });
      signal?.addEventListener("abort", this.#abort);
    }
  }

  /** Stop the answer on the server; the events go on to its end. */
  cancel() {
    if (this.#ask) this.#link.cancel(this.#ask);
  }

  /** @returns {Promise<IteratorResult<StreamEvent, undefined>>} */
  async next() {
    while (!this.#events.length && !this.#over) {
      await new Promise((resolve) => (this.#wake = () => resolve(undefined)));
    }
    const event = this.#events.shift();
    if (event) return { value: this.#rename(event), done: false };
    if (this.#problem) {
      const problem = this.#problem;
      this.#problem = null;
      throw problem;
    }
    return { value: undefined, done: true };
  }

  /** The loop was left. @returns {Promise<IteratorResult<StreamEvent, undefined>>} */
  async return() {
    this.#events = [];
    this.#end(null);
    return { value: undefined, done: true };
  }

  [Symbol.asyncIterator]() {
    return this;
  }

  #abort = () => {
    this.cancel();
    this.#events = [];
    this.#end(this.#signal?.reason);
  };

  /** @param {StreamEvent} event @param {Run} run */
  #take(event, run) {
    if (this.#over) return;
    this.runId = run.id;
    this.conversationId = run.conversationId;
    if (event.type !== "token") this.message = run.transcript.message();
    const last = this.#events.at(-1);
    if (this.#events.length >= MAX_WAITING && event.type === "token" && last?.type === "token") {
      this.#events[this.#events.length - 1] = merged(last, event);
    } else {
      this.#events.push(event);
    }
    if (run.over) return this.#end(null);
    this.#wake?.();
  }

  /** @param {unknown} problem */
  #end(problem) {
    if (this.#over) return;
    this.#over = true;
    this.#problem = problem;
    this.#signal?.removeEventListener("abort", this.#abort);
    this.#wake?.();
  }
}

/** @param {Token} first @param {Token} second @returns {Token} */
function merged(first, second) {
  const count = (first.count ?? 1) + (second.count ?? 1);
  const metrics = { ...second.metrics, ...first.metrics, tokenCount: first.index + count };
  return { ...first, content: first.content + second.content, count, metrics, seq: second.seq };
}
