import { ClawError } from "../errors.js";
import { SseParser } from "./sse.js";

/** @import {Ask, Item} from "./following.js" */
/** @import {Host, Lost} from "./link.js" */
/** @import {Run} from "../run.js" */

/** The server says something every 15 s. Milliseconds. */
const MAX_SILENCE = 40_000;
const HEARD_OF_LATELY = 20_000;

/** Event streams over `fetch`, one for each thing that is asked or followed (docs/protocol.md, SSE). */
export class StreamTransport {
  /** @readonly */
  kind = "sse";
  /** Whether it can be given items. */
  ready = false;
  #host;
  #heardAt = 0;
  /** @type {Map<Item, AbortController>} */
  #streams = new Map();

  /** @param {Host} host */
  constructor(host) {
    this.#host = host;
    // Not before the host knows this one as its own.
    queueMicrotask(() => {
      this.ready = this.#alive;
      if (this.ready) host.following.items().forEach((item) => this.add(item));
    });
  }

  get #alive() {
    return this.#host.current === this;
  }

  /** Have an item carried: asked, or followed from its position. @param {Item} item */
  add(item) {
    if (item.kind === "run" && this.#host.following.subscription(item.conversationId)) return; // comes with it
    this.#streams.get(item)?.abort();
    const controller = new AbortController();
    this.#streams.set(item, controller);
    void this.#carry(item, controller);
    if (item.kind === "run" && item.cancelling) this.cancel(item);
  }

  /** An item is wanted no more. @param {Item} item */
  remove(item) {
    this.#streams.get(item)?.abort();
    this.#streams.delete(item);
  }

  /** Stop a run. @param {Run} run */
  cancel(run) {
    this.#host.api.stopRun(run.id).catch((problem) => {
      if (this.#alive && !run.ended) this.#lose({ error: ClawError.from(problem) });
    });
  }

  /** Is it still there? If nothing was heard for long, it is asked again. */
  probe() {
    if (this.#host.timers.now() - this.#heardAt > HEARD_OF_LATELY) this.#lose({ delayMs: 0 });
  }

  /** The end of it, without a word to the host. */
  stop() {
    this.ready = false;
    for (const controller of this.#streams.values()) controller.abort();
    this.#streams.clear();
  }

  /** @param {Item} item @param {AbortController} controller */
  async #carry(item, controller) {
    const over = () => !this.#alive || this.#streams.get(item) !== controller;
    let heard = false;
    try {
      const response = await this.#request(item, controller.signal);
      if (over()) return controller.abort();
      this.#host.opened();
      if (item.kind === "subscription") for (const each of item.subscribers) each.subscribed();
      heard = !!response.body && (await this.#read(response.body, controller));
    } catch (problem) {
      if (over()) return;
      const error = ClawError.from(problem);
      const drop = ["network_error", "bad_response"].includes(error.code) && error.retryable;
      if (drop) return this.#lose({ error });
      this.#streams.delete(item);
      return this.#host.following.refused(item, error);
    }
    if (over()) return;
    this.#streams.delete(item);
    // It ended before its end: the token has, or the server leaves.
    if (this.#host.following.unfinished(item)) this.#lose({ ended: heard });
  }

  /** @param {Item} item @param {AbortSignal} signal */
  #request(item, signal) {
    const { api } = this.#host;
    if (item.kind === "ask") {
      item.sent = true;
      const body = { agentId: this.#host.agentId, ...bodyOf(item) };
      return api.send("POST", "/api/chat/stream", { body, signal });
    }
    if (item.kind === "run") {
      // Only here, where nobody else brings it: elsewhere tokens may be put together with some seen.
      const query = { merge: 1 };
      return api.send("GET", `/api/runs/${item.id}/events`, { headers: at(item), query, signal });
    }
    const { conversationId } = item;
    const headers = at(this.#host.following.unfinishedRun(conversationId));
    return api.send("GET", "/api/chat/stream", { headers, query: { conversationId }, signal });
  }

  /** Whether anything came before it ended. @param {ReadableStream<Uint8Array>} body @param {AbortController} controller */
  async #read(body, controller) {
    const parser = new SseParser();
    const reader = body.getReader();
    const { timers } = this.#host;
    /** @type {any} */
    let timer;
    let heard = false;
    try {
      for (;;) {
        timer = timers.setTimeout(() => this.#lose({}), MAX_SILENCE);
        const { done, value } = await reader.read();
        timers.clearTimeout(timer);
        if (done || controller.signal.aborted) return heard;
        heard = true;
        this.#heardAt = timers.now();
        for (const { data } of parser.push(value)) this.#host.receive(JSON.parse(data));
      }
    } finally {
      timers.clearTimeout(timer);
    }
  }

  /** @param {Lost} why */
  #lose(why) {
    if (this.#alive) this.#host.lost(why);
  }
}

/** @param {Ask} ask */
function bodyOf({ request: { content, ...rest } }) {
  return content === undefined ? rest : { message: content, ...rest };
}

/** The header that says where to go on. @param {Run | undefined} run @returns {Record<string, string>} */
function at(run) {
  return run?.lastSeq ? { "Last-Event-ID": `${run.id}:${run.lastSeq}` } : {};
}
