import { Api } from "./api.js";
import { Credentials } from "./credentials.js";
import { ClawError } from "./errors.js";
import { SseParser } from "./link/sse.js";
import { watchPage } from "./link/wake.js";
import { TIMERS } from "./timers.js";

/** @import {EventSourceOptions, Timers} from "../types.js" */

/** Without a token, the browser's own cookies say who asks. */
const NOBODY = { get: async () => undefined, renew: async () => false };

/**
 * An `EventSource` that can send headers and a token, goes on after its last event, and comes back
 * after every drop (docs/javascript.md). `open` and `message` are as of
 * https://html.spec.whatwg.org/multipage/server-sent-events.html; `error` has the ClawError as
 * `error`, and as `retryIn` the milliseconds until the next attempt, null if there is none.
 */
export class ReconnectingEventSource extends EventTarget {
  static CONNECTING = 0;
  static OPEN = 1;
  static CLOSED = 2;

  /** @type {0 | 1 | 2} */
  readyState = 0;
  /** @type {((event: Event) => void) | null} */
  onopen = null;
  /** @type {((event: MessageEvent) => void) | null} */
  onmessage = null;
  /** @type {((event: Event & {error: ClawError, retryIn: number | null}) => void) | null} */
  onerror = null;

  #api;
  #headers;
  #maxAttempts;
  #maxSilence;
  /** @type {Timers} */
  #timers;
  #attempts = 0;
  /** @type {any} */
  #timer = null;
  /** @type {AbortController | null} */
  #controller = null;
  #unwatch;

  /** @param {string | URL} url @param {EventSourceOptions} [options] */
  constructor(url, options = {}) {
    super();
    this.url = new URL(url, globalThis.location?.href).href;
    this.lastEventId = options.lastEventId ?? "";
    const { headers = {}, maxAttempts = 5, maxSilence = 45_000, timers = TIMERS, fetch = globalThis.fetch } = options;
    const known = options.token ?? options.apiKey ?? options.getToken;
    const credentials = known ? new Credentials(options) : NOBODY;
    this.#api = new Api({ url: this.url, credentials, fetch, timers });
    this.#headers = headers;
    this.#maxAttempts = maxAttempts;
    this.#maxSilence = maxSilence;
    this.#timers = timers;
    this.addEventListener("open", (event) => this.onopen?.(event));
    this.addEventListener("message", (event) => this.onmessage?.(/** @type {MessageEvent} */ (event)));
    this.addEventListener("error", (event) => this.onerror?.(/** @type {any} */ (event)));
    this.#unwatch = watchPage({ awake: () => this.#awake(), offline: () => {}, leaving: () => {} });
    void this.#connect();
  }

  /** The end: nothing comes any more. */
  close() {
    this.readyState = 2;
    this.#unwatch();
    this.#drop();
  }

  async #connect() {
    this.readyState = 0;
    const controller = (this.#controller = new AbortController());
    const current = () => this.#controller === controller;
    /** @type {ClawError} */
    let problem;
    try {
      const response = await this.#request(controller.signal);
      if (!current()) return;
      this.#open();
      await this.#read(response.body, controller);
      problem = new ClawError("network_error", "The stream has ended.");
    } catch (error) {
      problem = ClawError.from(error);
    }
    if (current()) this.#lost(problem);
  }

  /** @param {AbortSignal} signal */
  async #request(signal) {
    /** @type {Record<string, string>} */
    const headers = { Accept: "text/event-stream", ...this.#headers };
    if (this.lastEventId) headers["Last-Event-ID"] = this.lastEventId;
    const response = await this.#api.send("GET", "", { headers, signal });
    if (response.headers.get("content-type")?.startsWith("text/event-stream")) return response;
    void response.body?.cancel();
    throw new ClawError("bad_response", "The server has no event stream here, or nothing more to tell.");
  }

  #open() {
    this.#attempts = 0;
    this.readyState = 1;
    this.dispatchEvent(new Event("open"));
  }

  /** @param {ReadableStream<Uint8Array> | null} body @param {AbortController} controller */
  async #read(body, controller) {
    if (!body) return;
    const parser = new SseParser();
    parser.lastEventId = this.lastEventId;
    const reader = body.getReader();
    for (;;) {
      this.#wake(this.#maxSilence, () => this.#lost(new ClawError("network_error", "Nothing is heard any more.")));
      const { done, value } = await reader.read();
      if (done) return;
      for (const { event, data, id } of parser.push(value)) {
        this.lastEventId = id;
        this.dispatchEvent(new MessageEvent(event, { data, lastEventId: id, origin: new URL(this.url).origin }));
        if (this.#controller !== controller) return; // the page has closed it
      }
      this.lastEventId = parser.lastEventId; // also of an event without data
    }
  }

  /** @param {ClawError} error */
  #lost(error) {
    this.#drop();
    const ends = !error.retryable || this.#attempts >= this.#maxAttempts;
    if (ends) this.close();
    else this.readyState = 0;
    const retryIn = ends ? null : Math.max(this.#delay(), error.retryAfter ?? 0);
    if (retryIn !== null) this.#wake(retryIn, () => void this.#connect());
    this.dispatchEvent(Object.assign(new Event("error"), { error, retryIn }));
  }

  #delay() {
    this.#attempts += 1;
    return Math.min(1000 * 2 ** this.#attempts, 30_000);
  }

  /** Somebody looks at the page again, or there is a network: do not wait any longer. */
  #awake() {
    if (this.readyState !== 0 || this.#controller) return;
    this.#drop();
    void this.#connect();
  }

  /** Do this later, instead of what was planned. @param {number} ms @param {() => void} run */
  #wake(ms, run) {
    this.#timers.clearTimeout(this.#timer);
    this.#timer = this.#timers.setTimeout(run, ms);
  }

  #drop() {
    this.#timers.clearTimeout(this.#timer);
    this.#controller?.abort();
    this.#timer = this.#controller = null;
  }
}
