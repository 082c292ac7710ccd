import { Api } from "../client/api.js";
import { ReconnectingEventSource } from "../client/event_source.js";
import { TIMERS } from "../client/timers.js";

/** At the same time, where there are many. */
const AT_ONCE = 6;

/** The page's requests to the API, in the name of the member who looks at it. */
export class Calls {
  #headers;
  #api;

  /** @param {string} organization its slug */
  constructor(organization) {
    this.#headers = { "X-Claw-Organization": organization };
    const credentials = { get: async () => undefined, renew: async () => false };
    const fetch = globalThis.fetch.bind(globalThis);
    this.#api = new Api({ url: location.origin, credentials, fetch, timers: TIMERS });
  }

  /** An event stream that stays. @param {string} path with its query */
  stream(path) {
    return new ReconnectingEventSource(path, { headers: this.#headers, maxAttempts: Infinity });
  }

  /** @param {string} path @param {Record<string, string | undefined>} [query] */
  get(path, query) {
    return this.#api.json("GET", path, { query, headers: this.#headers });
  }

  /** @param {string} path @param {object} [body] */
  post(path, body) {
    return this.#api.json("POST", path, { body, headers: this.#headers });
  }

  /** @param {string} runId */
  stop(runId) {
    return this.post(`/api/runs/${encodeURIComponent(runId)}/cancel`);
  }

  /** Stop all of these; rejects with the first refusal, when all were asked. @param {string[]} runIds */
  async stopAll(runIds) {
    const left = [...runIds];
    /** @type {unknown[]} */
    const problems = [];
    const work = async () => {
      for (let id = left.shift(); id !== undefined; id = left.shift()) await this.stop(id).catch((problem) => problems.push(problem));
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    if (problems.length) throw problems[0];
  }
}
