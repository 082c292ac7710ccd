import { ClawError } from "./errors.js";
import { uuid } from "./random.js";

/** @import {ErrorBody, Message, Pending} from "../types.js" */

/**
 * The decision that waits under this id, and its run. Throws `already_decided` if it does not wait any more.
 * @param {Message[]} messages
 * @param {string} id
 * @returns {{runId: string, call: Pending}}
 */
export function awaiting(messages, id) {
  for (const { runId, pending = [] } of messages) {
    const call = pending.find((each) => each.id === id);
    if (call && runId) return { runId, call };
  }
  throw new ClawError("already_decided", "Nothing waits for this any more.");
}

/** An error as messages have it. @param {ClawError} error @returns {ErrorBody} */
export function bodyOf({ code, message, retryable, retryAfter }) {
  return { code, message, retryable, retryAfter };
}

/** @param {string | undefined} clientMessageId @param {string} content @returns {Message} */
export function userMessage(clientMessageId, content) {
  return {
    ...{ id: clientMessageId ?? uuid(), role: "user", content, status: "completed", runId: null },
    ...{ usage: null, stopReason: null, error: null, tools: [], sources: [], clientMessageId },
    createdAt: new Date().toISOString(), // until the history has the server's
  };
}
