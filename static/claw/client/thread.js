import { userMessage } from "./messages.js";

/** @import {Message, RunStarted, Steered} from "../types.js" */

const LIVE = ["queued", "streaming", "waiting"];
const FINAL = ["completed", "cancelled", "failed", "interrupted"];

/** The messages of a conversation: what was said here, and what the server's history knows. */
export class Thread {
  /** Oldest first. Each stays the same object while it grows. @type {Message[]} */
  messages;
  /** Those that are no part of it any more. @type {Set<string>} */
  #cut = new Set();

  /** @param {Message[]} messages */
  constructor(messages) {
    this.messages = messages;
  }

  /** @param {string} id */
  find(id) {
    return this.messages.find((message) => message.id === id);
  }

  /** @param {Message} message */
  add(message) {
    this.messages.push(message);
    return message;
  }

  /** The user's message of a run: this tab's, or another's. @param {RunStarted} event @param {number} [version] where it came in place of another */
  asked({ userMessageId, clientMessageId, userContent, context, runId }, version) {
    const message =
      this.messages.find(({ id, clientMessageId: name }) => id === userMessageId || (name && name === clientMessageId)) ??
      this.add(userMessage(clientMessageId, userContent));
    if (version) message.version = version;
    if (context) message.context = context;
    return Object.assign(message, { id: userMessageId, status: "completed", runId });
  }

  /** The message of an answer, behind its question; what was said since comes after it. @param {Message} answer as the run has it */
  answered(answer) {
    const found = this.find(answer.id);
    if (found) return found;
    const message = { ...answer, createdAt: new Date().toISOString() };
    const question = this.messages.findIndex(({ role, runId }) => role === "user" && runId === message.runId);
    this.messages.splice(question < 0 ? this.messages.length : question + 1, 0, message);
    return message;
  }

  /** A message of the user that has joined a run: its answer comes behind it. @param {Steered} event */
  joined({ userMessageId, clientMessageId, content, context, runId }) {
    const at = this.messages.findIndex(
      ({ id, clientMessageId: name }) => id === userMessageId || (name && name === clientMessageId),
    );
    const [message] = at < 0 ? [userMessage(clientMessageId, content)] : this.messages.splice(at, 1);
    Object.assign(message, { id: userMessageId, status: "completed", runId, error: null });
    if (context) message.context = context;
    this.messages.push(message);
    this.#order();
  }

  /** A message of an answer that there will not be. @param {string} id */
  remove(id) {
    this.messages = this.messages.filter((message) => message.id !== id);
  }

  /** Each answer stands behind the messages that it answers, also those that have joined its run. */
  #order() {
    for (const answer of this.messages.filter(({ role }) => role === "assistant")) {
      const last = this.messages.findLastIndex(({ role, runId }) => role === "user" && runId === answer.runId);
      const at = this.messages.indexOf(answer);
      if (at < last) this.messages.splice(last, 0, ...this.messages.splice(at, 1));
    }
  }

  /** A message and what follows it are no part of this conversation any more. @param {string} id @returns {Message | undefined} it, if it was here */
  cut(id) {
    const at = this.messages.findIndex((message) => message.id === id);
    if (at < 0) return undefined;
    const gone = this.messages.splice(at);
    for (const message of gone) this.#cut.add(message.id);
    return gone[0];
  }

  /** The page before the first message. @param {Message[]} page */
  prepend(page) {
    this.messages.unshift(...page);
    this.#order();
  }

  /**
   * Take over the latest page of the history.
   * @param {Message[]} history
   * @param {{before: Set<Message>, live: Set<Message>}} here `before`: what was here when the page was
   *   asked for; `live`: what is being written here
   */
  merge(history, { before, live }) {
    // It may have been read before the server knew of a message that takes another's place.
    const cut = history.findIndex(({ id }) => this.#cut.has(id));
    const merged = (cut < 0 ? history : history.slice(0, cut)).map(this.#merging(live));
    const kept = new Set(merged);
    const first = this.messages.findIndex((message) => kept.has(message));
    const older = first < 0 ? [] : this.messages.slice(0, first);
    const ours = this.messages.filter(
      (message) => !kept.has(message) && (live.has(message) || unsent(message) || !before.has(message)),
    );
    this.messages = [...older.filter((message) => !ours.includes(message)), ...merged, ...ours];
    this.#order();
  }

  /** How a message of the history becomes one of ours. @param {Set<Message>} live */
  #merging(live) {
    const known = new Map(this.messages.map((message) => [message.id, message]));
    const named = new Map(this.messages.map((message) => [message.clientMessageId, message]));
    return (/** @type {Message} */ found) => {
      const streaming = LIVE.includes(found.status);
      const message = known.get(found.id) ?? (found.clientMessageId && named.get(found.clientMessageId));
      if (!message) return { ...found, streaming };
      // A run that is being written, or has just ended, is further here than in the history.
      const older = streaming && FINAL.includes(message.status);
      if (!live.has(message) && !older) Object.assign(message, found, { streaming });
      return message;
    };
  }
}

/** @param {Message} message */
function unsent({ role, status }) {
  return role === "user" && ["sending", "failed"].includes(status);
}
