import { errorOf } from "./api.js";
import { ClawError, TOKEN_CODES } from "./errors.js";

/** @import {Storage} from "./storage.js" */

/**
 * @typedef {{id: string, slug: string, name: string, greeting: string, prompts: string[]}} AgentInfo
 * @typedef {string | (() => string | null | Promise<string | null>) | null} Identity
 *   a token of the customer's backend that says who the visitor is, or a function that fetches one
 */

/** The agent does not want this page, or there is none. */
const REFUSALS = new Set(["forbidden", "agent_not_found"]);
/** What the server calls a visitor whom the customer's backend has vouched for. */
const USER = "user:";

/** What one tab has stored, others in processes of their own see a little later. Milliseconds. */
const SEEN_WITHIN = 100;

/** Who the visitor is: a short-lived token from the server, renewed with itself. */
export class Session {
  #base;
  #storage;
  #identity;
  /** The customer's word that the server has taken. @type {string | null} */
  #taken = null;

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
    const given = this.#identity();
    const identity = (typeof given === "function" ? await given() : given) || null;
    const ask = async () => this.#keep(await this.#begin(identity));
    // Tabs that are opened together are one visitor: the first gets a session, the others renew it.
    const answer = await (this.#storage.get("token") ? ask() : this.#alone(ask));
    this.#taken = identity;
    return answer;
  }

  /** @param {string | null} identity */
  async #begin(identity) {
    // A word that was taken may have ended since; the session goes on without it.
    if (identity && identity !== this.#taken) return this.#post({ identity });
    const renew = this.#renewable(identity);
    try {
      return await this.#post({ renew });
    } catch (error) {
      if (!renew || !TOKEN_CODES.has(/** @type {ClawError} */ (error).code)) throw error;
      // Too old, or of a visitor that is gone: begin anew rather than never again.
      return this.#post({ identity: identity ?? undefined });
    }
  }

  /** Our earlier token; not a user's for whom nobody speaks any more: they have logged out. @param {string | null} identity */
  #renewable(identity) {
    const left = !identity && this.#storage.get("visitorId")?.startsWith(USER);
    return left ? undefined : this.#storage.get("token");
  }

  /** @param {{token: string, visitorId: string, agent: AgentInfo}} answer */
  #keep(answer) {
    if (this.#storage.get("visitorId") !== answer.visitorId) {
      this.#storage.set("conversationId", undefined); // that one was another visitor's
      this.#storage.set("visitorId", answer.visitorId);
    }
    this.#storage.set("token", answer.token);
    return answer;
  }

  /** Run while no other tab does. @template T @param {() => Promise<T>} run @returns {Promise<T>} */
  async #alone(run) {
    let began = false;
    const once = async () => {
      began = true;
      const answer = await run();
      await new Promise((resolve) => setTimeout(resolve, SEEN_WITHIN));
      return answer;
    };
    try {
      return await navigator.locks.request(`claw:${this.#base}`, once);
    } catch (error) {
      if (began) throw error;
      return run(); // no locks: a page over plain HTTP, or a frame that may not have them
    }
  }

  /** @param {object} body */
  async #post(body) {
    const request = { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" } };
    try {
      const response = await fetch(`${this.#base}/api/visitor-sessions`, { ...request, credentials: "omit" });
      if (response.ok) return await response.json();
      throw await errorOf(response);
    } catch (problem) {
      const error = ClawError.from(problem);
      if (REFUSALS.has(error.code)) console.error(this.#advice);
      throw error;
    }
  }

  /** For who has put the chat on this page. */
  get #advice() {
    return `Clawsite: ${this.#base} has no chat for ${location.origin}. Is this origin among the agent's allowed origins?`;
  }
}
