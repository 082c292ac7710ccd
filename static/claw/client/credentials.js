import { ClawError } from "./errors.js";

/** @import {ClientOptions} from "../types.js" */

/** The token: given once, or asked for again when it has expired. */
export class Credentials {
  /** @type {ClientOptions["getToken"]} */
  #getToken;
  /** @type {Promise<string> | null} */
  #token = null;
  #expired = false;

  /** @param {Pick<ClientOptions, "token" | "apiKey" | "getToken">} options */
  constructor({ apiKey, token = apiKey, getToken }) {
    if (token === undefined && !getToken) {
      throw new ClawError("auth_required", "Give the client a `token` (or `apiKey`, its other name), or `getToken`.");
    }
    this.#getToken = getToken;
    if (token !== undefined) this.#token = Promise.resolve(token);
  }

  /** The token; those who ask at the same time share one answer. Rejects with a ClawError. */
  get() {
    this.#token ??= this.#ask();
    return this.#token;
  }

  /**
   * The server says that this token has expired: whether there can be another one.
   * @param {string | undefined} token
   */
  async renew(token) {
    if (!this.#getToken) return false;
    const now = await this.#token?.catch(() => null);
    if (now === token) {
      this.#token = null;
      this.#expired = true;
    }
    return true;
  }

  async #ask() {
    const expired = this.#expired;
    try {
      const token = await /** @type {NonNullable<ClientOptions["getToken"]>} */ (this.#getToken)({ expired });
      this.#expired = false;
      return token;
    } catch (problem) {
      this.#token = null; // it may work the next time
      throw ClawError.from(problem);
    }
  }
}
