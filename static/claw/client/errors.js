/** @import {ErrorBody} from "../types.js" */

/** Codes after which the same may work a little later. */
const RETRYABLE = new Set([
  ...["rate_limited", "too_many_connections", "conversation_busy", "unavailable", "network_error"],
  ...["upstream_error", "upstream_truncated", "upstream_overloaded", "upstream_timeout"],
  ...["run_interrupted", "internal_error", "idle_timeout", "slow_consumer"],
]);

/** Codes that are about the token, not about what was asked. */
export const TOKEN_CODES = new Set(["auth_required", "invalid_token", "token_expired", "key_revoked"]);

/**
 * An error of the client or the server. `code` is one of docs/errors.md, or `network_error` (the server could not be
 * reached), `bad_response` (something that is not our server answered), `closed` (the client was).
 * `retryAfter` is in milliseconds.
 */
export class ClawError extends Error {
  /**
   * @param {string} code
   * @param {string} message
   * @param {{retryable?: boolean, retryAfter?: number, details?: Record<string, any>}} [about]
   */
  constructor(code, message, { retryable = RETRYABLE.has(code), retryAfter, details } = {}) {
    super(message);
    this.name = "ClawError";
    this.code = code;
    this.retryable = retryable;
    this.retryAfter = retryAfter;
    this.details = details;
  }

  /** An error frame, an outcome `error`, or the `error` of an HTTP answer. @param {ErrorBody} body */
  static of(body) {
    return new ClawError(body.code, body.message, body);
  }

  /** Whatever was thrown, as one of ours. @param {unknown} problem */
  static from(problem) {
    if (problem instanceof ClawError) return problem;
    return new ClawError("network_error", "The server could not be reached.");
  }
}
