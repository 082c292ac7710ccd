import { ClawError, TOKEN_CODES } from "./errors.js";
import { uuid } from "./random.js";

/**
 * @typedef {{get(): Promise<string | undefined>, renew(token: string | undefined): Promise<boolean>}} TokenSource
 *   Without a token the browser's own cookies say who asks.
 */
/** @import {Pending, Timers, Verdict} from "../types.js" */

/** A limit that lasts longer than this is the caller's to wait for. Milliseconds. */
export const MAX_WAIT = 60_000;
const ATTEMPTS = 5;
/** A request that outlives its client has so long. Milliseconds. */
const OUTLIVES = 10_000;

/**
 * @typedef {{body?: object, query?: Record<string, string | number | undefined>,
 *   headers?: Record<string, string>, signal?: AbortSignal, keepalive?: boolean}} Call
 */

/** Requests to one installation: with the token, renewed when it has expired, and typed errors. */
export class Api {
  #url;
  #agentId;
  #credentials;
  #fetch;
  #timers;
  /** The functions that end each request and each wait. @type {Set<() => void>} */
  #open = new Set();

  /** @param {{url: string, agentId?: string, credentials: TokenSource, fetch: typeof globalThis.fetch, timers: Timers}} options */
  constructor({ url, agentId, credentials, fetch, timers }) {
    this.#agentId = agentId;
    this.#url = url.replace(/\/+$/, "");
    this.#credentials = credentials;
    this.#fetch = fetch;
    this.#timers = timers;
  }

  /**
   * The JSON of an answer, null if it is empty. Waits where the server says for how long.
   * @param {string} method
   * @param {string} path
   * @param {Call} [call] With `keepalive` it is carried out also if this client, or its page, is closed meanwhile.
   * @returns {Promise<any>}
   */
  async json(method, path, call = {}) {
    const controller = new AbortController();
    const end = () => controller.abort();
    const timer = call.keepalive ? this.#timers.setTimeout(end, OUTLIVES) : null;
    if (!call.keepalive) this.#open.add(end);
    try {
      for (let attempt = 1; ; attempt += 1) {
        try {
          const response = await this.send(method, path, { ...call, signal: controller.signal });
          return response.status === 204 ? null : await response.json();
        } catch (problem) {
          if (controller.signal.aborted) throw new ClawError("closed", "This client was closed.");
          const error = ClawError.from(problem);
          const wait = error.retryAfter ?? Infinity;
          if (attempt === ATTEMPTS || wait > MAX_WAIT) throw error;
          await this.#pause(wait);
        }
      }
    } finally {
      if (timer !== null) this.#timers.clearTimeout(timer);
      this.#open.delete(end);
    }
  }

  /** End what is going on: it rejects with `closed`. */
  close() {
    for (const end of [...this.#open]) end();
  }

  /** @param {number} ms */
  #pause(ms) {
    return new Promise((resolve) => {
      const end = () => {
        this.#timers.clearTimeout(timer);
        this.#open.delete(end);
        resolve(undefined);
      };
      const timer = this.#timers.setTimeout(end, ms);
      this.#open.add(end);
    });
  }

  /** Stop a run, whatever becomes of this client. @param {string} runId */
  stopRun(runId) {
    return this.json("POST", `/api/runs/${encodeURIComponent(runId)}/cancel`, { keepalive: true });
  }

  /** Stop all that goes on in a conversation, the same way. @param {string} conversationId */
  stopConversation(conversationId) {
    return this.json("POST", `/api/conversations/${encodeURIComponent(conversationId)}/cancel`, { keepalive: true });
  }

  /** Decide about a tool call that waits for approval. @param {string} runId @param {Pending} call @param {Verdict} verdict */
  approve(runId, { id, argsDigest }, verdict) {
    return this.#decide(runId, `approvals/${encodeURIComponent(id)}`, { argsDigest, ...verdict });
  }

  /** Let calls that were approved beforehand ask again. @param {string} id of the standing approval */
  revoke(id) {
    return this.json("DELETE", `/api/standing-approvals/${encodeURIComponent(id)}`);
  }

  /** Answer what the agent asks. @param {string} runId @param {string} id @param {string} text */
  answer(runId, id, text) {
    return this.#decide(runId, "answers", { id, text });
  }

  /** Leave a question of the agent without an answer. @param {string} runId @param {string} id */
  decline(runId, id) {
    return this.#decide(runId, "answers", { id, decline: true });
  }

  /** Give the result of a tool that was called here. @param {string} runId @param {string} id @param {unknown} result @param {boolean} isError */
  toolResult(runId, id, result, isError) {
    return this.#decide(runId, "tool-results", { id, result, isError });
  }

  /** @param {string} runId @param {string} path @param {object} body */
  #decide(runId, path, body) {
    const headers = { "Idempotency-Key": uuid() };
    return this.json("POST", `/api/runs/${encodeURIComponent(runId)}/${path}`, { body, headers });
  }

  /**
   * A response that is a success. Rejects with a ClawError.
   * @param {string} method
   * @param {string} path
   * @param {Call} [call]
   */
  async send(method, path, call = {}) {
    const token = await this.#credentials.get();
    const response = await this.#once(method, path, call, token);
    if (response.ok) return response;
    const error = await errorOf(response);
    if (!TOKEN_CODES.has(error.code) || !(await this.#credentials.renew(token))) throw error;
    const again = await this.#once(method, path, call, await this.#credentials.get());
    if (again.ok) return again;
    throw await errorOf(again);
  }

  /** @param {string} method @param {string} path @param {Call} call @param {string | undefined} token */
  async #once(method, path, { body, query = {}, headers = {}, signal, keepalive }, token) {
    const url = new URL(this.#url + path);
    for (const [name, value] of Object.entries({ agentId: this.#agentId, ...query })) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    /** @type {Record<string, string>} */
    const sent = token === undefined ? { ...headers } : { Authorization: `Bearer ${token}`, ...headers };
    if (body) sent["Content-Type"] = "application/json";
    try {
      const fetch = this.#fetch; // a browser's wants no `this`
      return await fetch(url.href, { method, headers: sent, signal, keepalive, body: body && JSON.stringify(body) });
    } catch (problem) {
      if (signal?.aborted) throw problem;
      throw ClawError.from(problem);
    }
  }
}

/** The error of a response that is no success. @param {Response} response */
export async function errorOf(response) {
  const body = await response.json().catch(() => null);
  if (body?.error?.code) return ClawError.of(body.error);
  const retryable = response.status >= 500;
  return new ClawError("bad_response", `The server answered with status ${response.status}.`, { retryable });
}
