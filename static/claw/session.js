import { ClawError } from "./errors.js";

/** @import {Storage} from "./storage.js" */

/**
 * @typedef {{id: string, slug: string, name: string, greeting: string, prompts: string[]}} AgentInfo
 * @typedef {string | (() => string | null | Promise<string | null>) | null} Identity
 *   a token of the customer's backend that says who the visitor is, or a function that fetches one
 */

/** Who the visitor is: a short-lived token from the server, renewed with itself. */
export class Session {
  #base;
  #storage;
  #identity;

  /** @param {{base: string, storage: Storage, identity: () => Identity}} options */
  constructor({ base, storage, identity }) {
    this.#base = base;
    this.#storage = storage;
    this.#identity = identity;
  }

  /** The agent as visitors see it. Rejects with a ClawError. @returns {Promise<AgentInfo>} */
  async open() {
    return (await this.#ask()).agent;
  }

  /** As ClawClient wants it. */
  getToken = async (/** @type {{expired?: boolean}} */ { expired = false } = {}) => {
    const token = this.#storage.get("token");
    return token && !expired ? token : (await this.#ask()).token;
  };

  async #ask() {
    const identity = this.#identity();
    const body = {
      renew: this.#storage.get("token"),
      identity: (typeof identity === "function" ? await identity() : identity) || undefined,
    };
    let answer = await this.#post(body);
    if (answer.error && body.renew) {
      // Too old, or of a visitor that is gone: begin anew rather than never again.
      answer = await this.#post({ ...body, renew: undefined });
    }
    if (answer.error) throw ClawError.of(answer.error);
    if (this.#storage.get("visitorId") !== answer.visitorId) {
      this.#storage.set("conversationId", undefined); // that one was another visitor's
      this.#storage.set("visitorId", answer.visitorId);
    }
    this.#storage.set("token", answer.token);
    return answer;
  }

  /** @param {object} body */
  async #post(body) {
    const request = { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" } };
    try {
      const response = await fetch(`${this.#base}/api/visitor-sessions`, { ...request, credentials: "omit" });
      return await response.json();
    } catch (problem) {
      console.info(`Clawsite: if ${this.#base} can be reached, does the agent allow ${location.origin}?`);
      throw ClawError.from(problem);
    }
  }
}
