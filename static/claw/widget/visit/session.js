import { TOKEN_CODES } from "../../client/errors.js";
import { request } from "./request.js";

/** @import {ClawError} from "../../client/errors.js" */
/** @import {Storage} from "./storage.js" */

/**
 * @typedef {{token: string, visitorId: string}} Begun
 * @typedef {string | (() => string | null | Promise<string | null>) | null} Identity
 *   a token of the customer's backend that says who the visitor is, or a function that fetches one
 */

/** The beginning of the id of a visitor whom the customer's backend vouches for. */
const USER = "user:";

/** A tab in a process of its own sees a little later what another has stored. Milliseconds. */
const SEEN_WITHIN = 5000;

/** The visitor's identity: a short-lived token from the server, renewed with itself. */
export class Session {
  #base;
  #storage;
  #identity;
  /** The customer's word that the server has taken. @type {string | null} */
  #taken = null;
  /** On this page. @type {Promise<Begun> | null} */
  #begun = null;

  /** @param {{base: string, storage: Storage, identity: () => Identity}} options */
  constructor({ base, storage, identity }) {
    this.#base = base;
    this.#storage = storage;
    this.#identity = identity;
  }

  /** Begin on this page, or go on from an earlier one; once. Rejects with a ClawError. */
  begin() {
    this.#begun ??= this.#ask().catch((error) => {
      this.#begun = null; // it may work the next time
      throw error;
    });
    return this.#begun;
  }

  /** As ClawClient wants it. */
  getToken = async (/** @type {{expired?: boolean}} */ { expired = false } = {}) => {
    if (expired) return (await this.#ask()).token;
    const { token } = await this.begin();
    return this.#storage.get("token") ?? token; // another tab may have a newer one
  };

  /** @returns {Promise<Begun>} */
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

  /** @param {object} body @returns {Promise<Begun>} */
  #post(body) {
    return request(this.#base, "visitor-sessions", body);
  }

  /** @param {Begun} answer */
  #keep(answer) {
    this.#storage.set("visitorId", answer.visitorId);
    this.#storage.set("token", answer.token);
    return answer;
  }

  /**
   * Run while no other tab does. Storage may reach this tab late, so a lock says that another tab
   * has just stored a token: locks are the same in all processes at once.
   * @template T @param {() => Promise<T>} run @returns {Promise<T>}
   */
  async #alone(run) {
    const name = `claw:${this.#base}`;
    const stored = `${name}:stored`;
    let began = false;
    const once = async () => {
      began = true;
      const { held } = await navigator.locks.query();
      if (held?.some((lock) => lock.name === stored)) await this.#storage.written("token", SEEN_WITHIN);
      const answer = await run();
      await holdFor(stored, SEEN_WITHIN);
      return answer;
    };
    try {
      return await navigator.locks.request(name, once);
    } catch (error) {
      if (began) throw error;
      return run(); // no locks: a page over plain HTTP, or a frame that may not have them
    }
  }
}

/** Hold a shared lock for some milliseconds; resolves as soon as it is held. @param {string} name @param {number} ms */
function holdFor(name, ms) {
  return new Promise((held, failed) => {
    const wait = () => new Promise((end) => (held(undefined), setTimeout(end, ms)));
    navigator.locks.request(name, { mode: "shared" }, wait).catch(failed);
  });
}
