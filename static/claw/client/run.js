import { Transcript } from "./transcript.js";

/** @import {AnyEvent, Metrics, Snapshot, StreamEvent, Token} from "../types.js" */
/** @import {ClawError} from "./errors.js" */
/** @import {Ask, Item} from "./link/following.js" */

/**
 * The receiver of a run's events; `delayed`: the server has asked to wait so many milliseconds.
 * @typedef {{event(event: StreamEvent, run: Run): void, failed(error: ClawError, item: Run | Ask): void,
 *   delayed?(error: ClawError, item: Item, ms: number): void}} Sink
 */

/** Times that a run is asked for again because something of it was missing. */
const MAX_REPAIRS = 3;

/** One run as this client has it: what has come, where to go on, and how fast it is. */
export class Run {
  /** @readonly */
  kind = "run";
  transcript = new Transcript();
  conversationId = "";
  /** Its end has come; nothing more is expected of the server. */
  ended = false;
  /** And all of it was handed on. */
  over = false;
  /** The name of what was asked for here. @type {string | null} */
  clientMessageId = null;
  /** Somebody has asked that it be stopped. */
  cancelling = false;
  /** @type {Set<Sink>} */
  sinks = new Set();
  #repairs = 0;
  #sentAt = NaN;
  #firstAt = NaN;
  #lastAt = NaN;
  #tokens = 0;

  /** @param {string} id */
  constructor(id) {
    this.id = id;
  }

  /** The position of the last event that has come, after which to go on. */
  get lastSeq() {
    return this.transcript.lastSeq;
  }

  /** It was asked for here, under this name, at this moment. @param {string} clientMessageId @param {number} sentAt */
  claim(clientMessageId, sentAt) {
    this.clientMessageId = clientMessageId;
    this.#sentAt = sentAt;
  }

  /** @returns {Metrics} */
  get metrics() {
    const seconds = (this.#lastAt - this.#firstAt) / 1000;
    return {
      ttft: Number.isNaN(this.#firstAt - this.#sentAt) ? null : Math.round(this.#firstAt - this.#sentAt),
      tokenCount: this.transcript.tokenCount,
      tokensPerSecond: seconds > 0 ? Math.round(((this.#tokens - 1) / seconds) * 100) / 100 : null,
    };
  }

  /**
   * Whether an event is `new`, was `seen` before, or shows that some before it are missing (`gap`).
   * @param {AnyEvent} event
   * @returns {"new" | "seen" | "gap"}
   */
  judge(event) {
    if (this.ended || event.seq <= this.lastSeq) return "seen";
    // Tokens are also wrong if they begin before our position: put together from seen and new ones.
    const next = event.type !== "token" || event.index === this.transcript.tokenCount;
    const right = next && (this.lastSeq > 0 || !(event.seq > 1));
    if (right || this.#repairs >= MAX_REPAIRS) return "new"; // then `done` tells what is wrong
    this.#repairs += 1;
    return "gap";
  }

  /** Add an event; returns it as it is handed on, with what was measured. @param {AnyEvent} event @param {number} now */
  add(event, now) {
    this.transcript.fold(event);
    if (event.type === "token") return this.#timed(event, now);
    if (event.type !== "done") return event;
    const { ttft, tokenCount, tokensPerSecond } = this.metrics;
    const measured = Number.isNaN(this.#sentAt)
      ? { ttft: event.metrics.ttftMs }
      : { ttft, tokenCount, tokensPerSecond: tokensPerSecond ?? event.metrics.tokensPerSecond };
    return { ...event, metrics: { ...event.metrics, ...measured } };
  }

  /** Replace what there was. @param {Snapshot} snapshot */
  replace(snapshot) {
    this.transcript = Transcript.of(snapshot);
  }

  /** Whether the text is the one that the server meant. */
  async verified() {
    const { transcript } = this;
    const { done, outcome } = transcript;
    if (!done || !outcome) return false;
    if (transcript.length !== done.length || transcript.text !== outcome.content) return false;
    const digest = await transcript.digest();
    return digest === null || digest === done.digest;
  }

  /** @param {Token} event @param {number} now */
  #timed(event, now) {
    const first = Number.isNaN(this.#firstAt);
    this.#lastAt = now;
    if (first) this.#firstAt = this.#lastAt;
    this.#tokens += event.count ?? 1;
    const { ttft } = this.metrics;
    const tokenCount = this.transcript.tokenCount;
    return { ...event, metrics: first && ttft !== null ? { ttft, tokenCount } : { tokenCount } };
  }
}
