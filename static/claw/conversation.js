import { Emitter } from "./emitter.js";
import { ClawError } from "./errors.js";
import { uuid } from "./random.js";

/** @import {Api} from "./api.js" */
/** @import {Ask} from "./following.js" */
/** @import {Link} from "./link.js" */
/** @import {Run} from "./run.js" */
/** @import {Change, LinkStatus, Message, Metrics, RunStarted, StreamEvent} from "./types.js" */

/**
 * @typedef {{clientMessageId?: string, replaces?: string}} SendOptions
 * @typedef {{change: Change, status: LinkStatus, event: StreamEvent, error: ClawError, closed: undefined}} ConversationEvents
 */

const PAGE = 50;
const LIVE = ["queued", "streaming", "waiting"];
const FINAL = ["completed", "cancelled", "failed", "interrupted"];

/**
 * A chat as a page shows it: its messages as they grow, also those of other tabs.
 *
 * `change` says which message changed and how, so that a view can do with one write a frame.
 * @extends {Emitter<ConversationEvents>}
 */
export class Conversation extends Emitter {
  /** Our own name for it until the server knows it; null before anything was said. @type {string | null} */
  id;
  /** Oldest first, as in REST history, and `streaming`. @type {Message[]} */
  messages;
  /** Measured here, of the latest answer that was asked for here. @type {Metrics} */
  metrics = { ttft: null, tokenCount: 0, tokensPerSecond: null };
  /** Whether there are messages before the first one here. */
  hasOlder = false;
  #link;
  #api;
  #closed = false;
  #subscribed = false;
  #loaded = false;
  /** What waits for its answer, by the user's message. @type {Map<string, {ask: Ask, message: Message, settle(message: Message): void}>} */
  #sent = new Map();
  /** The answer of each run that goes on. @type {Map<string, Message>} */
  #answers = new Map();
  /** @type {Run | null} */
  #latest = null;
  /** @type {(() => void)[]} */
  #opening = [];

  /** @param {{link: Link, api: Api, conversationId?: string | null, messages?: Message[]}} options */
  constructor({ link, api, conversationId = null, messages = [] }) {
    super();
    this.#link = link;
    this.#api = api;
    this.id = conversationId;
    this.messages = messages;
    link.on("status", this.#onStatus);
  }

  /** `idle`, `connecting`, `online`, `reconnecting` or `offline`. */
  get status() {
    return this.#link.status;
  }

  /** Whether an answer is awaited or coming. */
  get isStreaming() {
    return this.#sent.size > 0 || this.messages.some(({ streaming }) => streaming);
  }

  /** Load what was said, and follow what is being said. Resolves when the history is there. */
  open() {
    if (!this.id || this.#closed) return Promise.resolve();
    return new Promise((resolve) => {
      this.#opening.push(() => resolve(undefined));
      this.#subscribe();
    });
  }

  /**
   * Say something. The message is shown at once, and sent again under its name after a drop.
   * Resolves with the answer when it is complete, or with the message itself if it was refused
   * (status `failed`); never rejects.
   * @param {string} text
   * @param {SendOptions} [options] `replaces`: a user's message which this one takes the place of,
   *   with everything after it
   * @returns {Promise<Message>}
   */
  send(text, { clientMessageId = uuid(), replaces } = {}) {
    this.id ??= uuid();
    if (replaces) this.#cut(replaces);
    const message = userMessage(clientMessageId, text);
    message.status = "sending";
    this.metrics = { ttft: null, tokenCount: 0, tokensPerSecond: null };
    this.messages.push(message);
    this.#changed({ kind: "message", message });
    return this.#ask(message, replaces);
  }

  /** Once more: what could not be sent, or else the last question. Null if there is none. */
  retry() {
    const message = this.messages.findLast(({ role }) => role === "user");
    if (!message || this.#sent.has(message.clientMessageId ?? "")) return null;
    if (message.status !== "failed") return this.send(message.content, { replaces: message.id });
    message.status = "sending";
    message.error = null;
    this.#changed({ kind: "message", message });
    return this.#ask(message);
  }

  /** Stop what is being answered, and what waits for it. */
  cancel() {
    for (const { ask } of this.#sent.values()) this.#link.cancel(ask);
    for (const runId of this.#answers.keys()) this.#link.cancelAll(runId);
  }

  /** Load the page before the first message. */
  async loadOlder() {
    const before = this.messages[0]?.id;
    if (!this.hasOlder || !before) return;
    const page = await this.#page({ before, limit: PAGE });
    this.hasOlder = page.nextCursor !== null;
    this.messages.unshift(...page.messages);
    this.#changed({ kind: "reset" });
  }

  /** Follow it no more. Answers go on being produced. */
  close() {
    if (this.#closed) return;
    this.#closed = true;
    this.#link.off("status", this.#onStatus);
    if (this.id) this.#link.unsubscribe(this.id, this.#subscriber);
    for (const { message, settle } of this.#sent.values()) settle(message);
    this.#sent.clear();
    this.#settleOpening();
    this.emit("closed", undefined);
  }

  #onStatus = (/** @type {LinkStatus} */ status) => this.emit("status", status);

  #subscriber = {
    event: (/** @type {StreamEvent} */ event, /** @type {Run} */ run) => this.#event(event, run),
    failed: (/** @type {ClawError} */ error, /** @type {Run | Ask} */ item) => {
      if (item.kind === "run") return this.#lostRun(error, item);
      const sent = this.#sent.get(item.request.clientMessageId);
      if (sent) this.#refused(sent.message, error);
    },
    subscribed: () => void this.#refresh(),
    refused: (/** @type {ClawError} */ error) => {
      this.#subscribed = false;
      this.#report(error);
      this.#settleOpening();
    },
  };

  #subscribe() {
    if (this.#subscribed || !this.id) return void this.#refresh();
    this.#subscribed = true;
    this.#link.subscribe(this.id, this.#subscriber);
  }

  /** @param {Message} message @param {string} [replaces] @returns {Promise<Message>} */
  #ask(message, replaces) {
    const clientMessageId = message.clientMessageId ?? "";
    const request = {
      content: message.content,
      conversationId: this.id ?? undefined,
      clientMessageId,
      replaces,
    };
    return new Promise((settle) => {
      try {
        const ask = this.#link.ask(request, this.#subscriber);
        this.#sent.set(clientMessageId, { ask, message, settle });
      } catch (problem) {
        this.#sent.set(clientMessageId, { ask: /** @type {any} */ (null), message, settle });
        this.#refused(message, ClawError.from(problem));
      }
    });
  }

  /** A message did not get there. @param {Message} message @param {ClawError} error */
  #refused(message, error) {
    const { code, message: text, retryable, retryAfter } = error;
    message.status = "failed";
    message.error = { code, message: text, retryable, retryAfter };
    this.#changed({ kind: "message", message });
    this.#settle(message.clientMessageId ?? "", message);
    this.#report(error);
  }

  // -- what comes

  /** @param {StreamEvent} event @param {Run} run */
  #event(event, run) {
    if (this.#closed) return;
    if (event.type !== "token") this.#adopt(run);
    if (event.type === "run_started") this.#started(event);
    const message = this.#answer(event.runId, run);
    this.emit("event", event);
    if (event.type === "token") {
      message.content = run.transcript.text;
      this.#measure(run);
      return this.#changed({ kind: "append", message, text: event.content });
    }
    const { progress } = run.transcript;
    Object.assign(message, run.transcript.message(), { streaming: !run.over, progress });
    if (run.over) this.#ended(message, run);
    this.#changed({ kind: "message", message });
  }

  /** What was said here has become a run. @param {Run} run */
  #adopt(run) {
    const sent = this.#sent.get(run.clientMessageId ?? "");
    if (!sent || sent.message.runId) return;
    Object.assign(sent.message, { runId: run.id, status: "completed" });
    this.#changed({ kind: "message", message: sent.message });
  }

  /** The user's message is the server's now: this tab's, or another's. @param {RunStarted} event */
  #started(event) {
    const { userMessageId, clientMessageId } = event;
    if (event.replaces) this.#cut(event.replaces);
    let message = this.messages.find(
      ({ id, clientMessageId: name }) => id === userMessageId || (name && name === clientMessageId),
    );
    if (!message) {
      message = userMessage(clientMessageId, event.userContent);
      this.messages.push(message);
    }
    Object.assign(message, { id: userMessageId, status: "completed", runId: event.runId });
    this.#changed({ kind: "message", message });
    if (!this.#subscribed) this.#subscribe();
  }

  /** The answer of a run. @param {string} runId @param {Run} run */
  #answer(runId, run) {
    const found = this.#answers.get(runId);
    if (found) return found;
    const { id } = run.transcript.message();
    let message = this.messages.find((each) => each.id === id);
    if (!message) {
      message = run.transcript.message();
      this.#insert(message);
    }
    message.streaming = !run.over;
    this.#answers.set(runId, message);
    this.#latest = run.clientMessageId ? run : this.#latest;
    return message;
  }

  /** Behind its question; what was said since comes after it. @param {Message} message */
  #insert(message) {
    const asked = this.messages.findIndex(({ role, runId }) => role === "user" && runId === message.runId);
    this.messages.splice(asked < 0 ? this.messages.length : asked + 1, 0, message);
  }

  /** @param {Message} message @param {Run} run */
  #ended(message, run) {
    this.#answers.delete(run.id);
    this.#measure(run);
    if (run.clientMessageId) this.#settle(run.clientMessageId, message);
  }

  /** A run can be followed no more. @param {ClawError} error @param {Run} run */
  #lostRun(error, run) {
    const message = this.#answers.get(run.id);
    if (message) {
      message.streaming = false;
      this.#ended(message, run);
      this.#changed({ kind: "message", message });
    }
    this.#report(error);
  }

  /** @param {Run} run */
  #measure(run) {
    if (run === this.#latest) this.metrics = run.metrics;
  }

  // -- history

  /** What happened while nobody listened, and at first everything. */
  async #refresh() {
    const before = new Set(this.messages);
    try {
      const page = await this.#page({ limit: PAGE });
      if (this.#closed) return;
      this.#merge(page.messages, before);
      if (!this.#loaded) this.hasOlder = page.nextCursor !== null;
      this.#loaded = true;
    } catch (problem) {
      this.#report(ClawError.from(problem));
    }
    this.#settleOpening();
  }

  /** @param {Record<string, string | number>} query @returns {Promise<{messages: Message[], nextCursor: string | null}>} */
  #page(query) {
    const id = encodeURIComponent(this.id ?? "");
    return this.#api.json("GET", `/api/conversations/${id}/messages`, { query });
  }

  /** @param {Message[]} history @param {Set<Message>} before what was here when it was asked for */
  #merge(history, before) {
    const known = new Map(this.messages.map((message) => [message.id, message]));
    const named = new Map(this.messages.map((message) => [message.clientMessageId, message]));
    const live = new Set(this.#answers.values());
    const merged = history.map((found) => {
      const message = known.get(found.id) ?? (found.clientMessageId && named.get(found.clientMessageId));
      if (!message) return { ...found, streaming: LIVE.includes(found.status) };
      // What is being written is further here than in the history, and so may be what just ended.
      const older = LIVE.includes(found.status) && FINAL.includes(message.status);
      if (!live.has(message) && !older) {
        Object.assign(message, found, { streaming: LIVE.includes(found.status) });
      }
      return message;
    });
    const kept = new Set(merged);
    const first = this.messages.findIndex((message) => kept.has(message));
    const older = first < 0 ? [] : this.messages.slice(0, first);
    const unsent = (/** @type {Message} */ { role, status }) => role === "user" && ["sending", "failed"].includes(status);
    const ours = this.messages.filter(
      (message) => !kept.has(message) && (live.has(message) || unsent(message) || !before.has(message)),
    );
    this.messages = [...older.filter((message) => !ours.includes(message)), ...merged, ...ours];
    this.#changed({ kind: "reset" });
  }

  /** A message and what follows it are no part of this conversation any more. @param {string} id */
  #cut(id) {
    const at = this.messages.findIndex((message) => message.id === id);
    if (at < 0) return;
    this.messages.length = at;
    this.#changed({ kind: "reset" });
  }

  // -- telling

  /** @param {string} clientMessageId @param {Message} message */
  #settle(clientMessageId, message) {
    const sent = this.#sent.get(clientMessageId);
    this.#sent.delete(clientMessageId);
    sent?.settle(message);
  }

  #settleOpening() {
    for (const resolve of this.#opening.splice(0)) resolve();
  }

  /** @param {Change} change */
  #changed(change) {
    if (!this.#closed) this.emit("change", change);
  }

  /** @param {ClawError} error */
  #report(error) {
    if (!this.#closed && error.code !== "closed") this.emit("error", error);
  }
}

/** @param {string | undefined} clientMessageId @param {string} content @returns {Message} */
function userMessage(clientMessageId, content) {
  return {
    ...{ id: clientMessageId ?? uuid(), role: "user", content, status: "completed", runId: null },
    ...{ usage: null, stopReason: null, error: null, tools: [], sources: [], clientMessageId },
  };
}
