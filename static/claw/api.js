import { ClawError, TOKEN_CODES } from "./errors.js";

/** @import {Credentials} from "./credentials.js" */
/** @import {Timers} from "./types.js" */

/** A limit that lasts longer than this is the caller's to wait for. Milliseconds. */
export const LONGEST_WAIT = 60_000;
const ATTEMPTS = 5;

/**
 * @typedef {{body?: object, query?: Record<string, string | number | undefined>,
 *   headers?: Record<string, string>, signal?: AbortSignal}} Call
 */

/** Requests to one installation: with the token, renewed when it has expired, and typed errors. */
export class Api {
  #url;
  #agentId;
  #credentials;
  #fetch;
  #timers;
  /** What ends each request and each wait. @type {Set<() => void>} */
  #open = new Set();

  /** @param {{url: string, agentId?: string, credentials: Credentials, fetch: typeof globalThis.fetch, timers: Timers}} options */
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
   * @param {Call} [call]
   * @returns {Promise<any>}
   */
  async json(method, path, call = {}) {
    const controller = new AbortController();
    const end = () => controller.abort();
    this.#open.add(end);
    try {
      for (let attempt = 1; ; attempt += 1) {
        try {
          const response = await this.send(method, path, { ...call, signal: controller.signal });
          return response.status === 204 ? null : await response.json();
        } catch (problem) {
          if (controller.signal.aborted) throw new ClawError("closed", "This client was closed.");
          const error = ClawError.from(problem);
          const wait = error.retryAfter ?? Infinity;
          if (attempt === ATTEMPTS || wait > LONGEST_WAIT) throw error;
          await this.#pause(wait);
        }
      }
    } finally {
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

  /** @param {string} method @param {string} path @param {Call} call @param {string} token */
  async #once(method, path, { body, query = {}, headers = {}, signal }, token) {
    const url = new URL(this.#url + path);
    for (const [name, value] of Object.entries({ agentId: this.#agentId, ...query })) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    /** @type {Record<string, string>} */
    const sent = { Authorization: `Bearer ${token}`, ...headers };
    if (body) sent["Content-Type"] = "application/json";
    try {
      const fetch = this.#fetch; // a browser's wants no `this`
      return await fetch(url.href, { method, headers: sent, signal, body: body && JSON.stringify(body) });
    } catch (problem) {
      if (signal?.aborted) throw problem;
      throw ClawError.from(problem);
    }
  }
}

/** What a response says that is no success. @param {Response} response */
export async function errorOf(response) {
  const body = await response.json().catch(() => null);
  if (body?.error?.code) return ClawError.of(body.error);
  const retryable = response.status >= 500;
  return new ClawError("bad_response", `The server answered with status ${response.status}.`, { retryable });
}
