import { Emitter } from "./emitter.js";
import { ClawError } from "./errors.js";
import { awaiting, userMessage } from "./messages.js";
import { Outbox } from "./outbox.js";
import { uuid } from "./random.js";
import { Thread } from "./thread.js";

/** @import {Api} from "./api.js" */
/** @import {Ask, Item} from "./link/following.js" */
/** @import {Link} from "./link/link.js" */
/** @import {Run} from "./run.js" */
/** @import {Cancelled, Change, LinkStatus, Message, Metrics, PageContext, Request, RunStarted, StreamEvent, Verdict} from "../types.js" */

/**
 * @typedef {{clientMessageId?: string, replaces?: string, ifBusy?: Request["ifBusy"],
 *   context?: PageContext}} SendOptions
 * @typedef {{change: Change, status: LinkStatus, event: StreamEvent, error: ClawError, closed: undefined,
 *   delayed: {error: ClawError, until: number}}} ConversationEvents
 *   `delayed`: the server has asked to wait until then (milliseconds since 1970) for what was said
 */

const PAGE = 50;

/**
 * A chat as a page shows it: its messages as they grow, also those of other tabs.
 *
 * `change` says which message changed and how, so that a view can do with one write a frame.
 * @extends {Emitter<ConversationEvents>}
 */
export class Conversation extends Emitter {
  /** Our own name for it until the server knows it; null before anything was said. @type {string | null} */
  id;
  /** Measured here, of the latest answer that was asked for here. @type {Metrics} */
  metrics = { ttft: null, tokenCount: 0, tokensPerSecond: null };
  /** Whether there are messages before the first one here. */
  hasOlder = false;
  #link;
  #api;
  #closed = false;
  /** Whether the server knows it. */
  #begun;
  #subscribed = false;
  #loaded = false;
  #thread;
  #outbox;
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
    this.#begun = conversationId !== null;
    this.#thread = new Thread(messages);
    this.#outbox = new Outbox(link, {
      sink: this.#subscriber,
      onChange: (message) => this.#changed({ kind: "message", message }),
      onRefused: (error) => this.#report(error),
    });
    link.on("status", this.#onStatus);
  }

  /** Oldest first, as in REST history, and `streaming`. @returns {Message[]} */
  get messages() {
    return this.#thread.messages;
  }

  /** `idle`, `connecting`, `online`, `reconnecting` or `offline`. */
  get status() {
    return this.#link.status;
  }

  /** Whether what was said before is still on its way. */
  get isLoading() {
    return this.#opening.length > 0;
  }

  /** Whether an answer is awaited or coming. */
  get isStreaming() {
    return !this.#outbox.empty || this.messages.some(({ streaming }) => streaming);
  }

  /** Load what was said, and follow what is being said. Resolves when the history is there. */
  open() {
    if (!this.#begun || this.#closed) return Promise.resolve();
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
   *   with everything after it; `context`: the page that it was written on
   * @returns {Promise<Message>}
   */
  send(text, { clientMessageId = uuid(), replaces, ifBusy, context } = {}) {
    this.id ??= uuid();
    const unsent = this.messages.some(({ id, status }) => id === replaces && status === "failed");
    const version = replaces && this.#cut(replaces);
    const message = userMessage(clientMessageId, text);
    if (version && !unsent) message.version = version;
    if (context) message.context = context;
    message.status = "sending";
    this.metrics = { ttft: null, tokenCount: 0, tokensPerSecond: null };
    this.#thread.add(message);
    this.#changed({ kind: "message", message });
    return this.#ask(message, unsent ? this.#outbox.replaced(replaces) : replaces, ifBusy);
  }

  /** Once more: what could not be sent, or else the last question. Null if there is none. */
  retry() {
    const message = this.messages.findLast(({ role }) => role === "user");
    if (!message || this.#outbox.has(message.clientMessageId)) return null;
    if (message.status !== "failed") return this.send(message.content, { replaces: message.id, context: message.context });
    message.status = "sending";
    message.error = null;
    this.#changed({ kind: "message", message });
    return this.#ask(message, this.#outbox.replaced(message.clientMessageId));
  }

  /** Stop what is being answered, and what waits for it. */
  cancel() {
    this.#outbox.cancel();
    for (const runId of this.#answers.keys()) this.#link.cancelAll(runId);
  }

  /** The decisions and answers for which the agent waits. */
  get pending() {
    return this.messages.flatMap(({ pending = [] }) => pending);
  }

  /** Decide about a tool call in `pending`. @param {string} id @param {Verdict} verdict */
  async approve(id, verdict) {
    const { runId, call } = awaiting(this.messages, id);
    return this.#api.approve(runId, call, verdict);
  }

  /** Let calls that were approved beforehand ask again: `approval.by.id` of one of them. @param {string} id */
  async revoke(id) {
    return this.#api.revoke(id);
  }

  /** Answer a question in `pending`. @param {string} id @param {string} text */
  async answer(id, text) {
    return this.#api.answer(awaiting(this.messages, id).runId, id, text);
  }

  /** Leave a question in `pending` without an answer. @param {string} id */
  async decline(id) {
    return this.#api.decline(awaiting(this.messages, id).runId, id);
  }

  /** Give the result of a client's tool in `pending`. @param {string} id @param {unknown} result @param {{isError?: boolean}} [options] */
  async toolResult(id, result, { isError = false } = {}) {
    return this.#api.toolResult(awaiting(this.messages, id).runId, id, result, isError);
  }

  /** Load the page before the first message. */
  async loadOlder() {
    const before = this.messages[0]?.id;
    if (!this.hasOlder || !before) return;
    const page = await this.#page({ before, limit: PAGE });
    this.hasOlder = page.nextCursor !== null;
    this.#thread.prepend(page.messages);
    this.#changed({ kind: "reset" });
  }

  /** Follow it no more. Answers go on being produced. */
  close() {
    if (this.#closed) return;
    this.#closed = true;
    this.#link.off("status", this.#onStatus);
    if (this.id) this.#link.unsubscribe(this.id, this.#subscriber);
    this.#outbox.close();
    this.#settleOpening();
    this.emit("closed", undefined);
  }

  /** Connect now for what will soon be said, so that it need not wait for that. */
  prepare() {
    if (!this.#closed) this.#link.prepare();
  }

  #onStatus = (/** @type {LinkStatus} */ status) => this.emit("status", status);
  #subscriber = {
    event: (/** @type {StreamEvent} */ event, /** @type {Run} */ run) => this.#event(event, run),
    failed: (/** @type {ClawError} */ error, /** @type {Run | Ask} */ item) => {
      if (item.kind === "run") return this.#lostRun(error, item);
      this.#outbox.refused(item.request.clientMessageId, error);
    },
    delayed: (/** @type {ClawError} */ error, /** @type {Item} */ item, /** @type {number} */ ms) => {
      const until = Date.now() + ms;
      const ours = item.kind === "ask" && this.#outbox.delayed(item.request.clientMessageId, error, until);
      if (!ours) this.emit("delayed", { error, until });
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

  /** @param {Message} message @param {string} [replaces] @param {Request["ifBusy"]} [ifBusy] */
  #ask(message, replaces, ifBusy) {
    return this.#outbox.send(message, { conversationId: this.id ?? undefined, replaces, ifBusy });
  }

  // -- what comes

  /** @param {StreamEvent} event @param {Run} run */
  #event(event, run) {
    if (this.#closed) return;
    if (event.type !== "token") this.#outbox.adopted(run);
    if (event.type === "run_started") this.#started(event);
    if (event.type === "steered") this.#thread.joined(event);
    if (event.type === "cancelled" && event.joinedRunId) return this.#joined(event, event.joinedRunId);
    const message = this.#answer(event.runId, run);
    this.emit("event", event);
    if (event.type === "token") {
      message.content = run.transcript.text;
      this.#measure(run);
      return this.#changed({ kind: "append", message, text: event.content });
    }
    const { progress, pending } = run.transcript;
    Object.assign(message, run.transcript.message(), { streaming: !run.over, progress, pending });
    if (run.over) this.#ended(message, run);
    this.#changed(event.type === "steered" ? { kind: "reset" } : { kind: "message", message });
  }

  /** The message of a run has joined another one, which answers it. @param {Cancelled} event @param {string} runId */
  #joined(event, runId) {
    this.emit("event", event);
    this.#answers.delete(event.runId);
    this.#thread.remove(event.messageId);
    for (const message of this.messages) if (message.runId === event.runId) message.runId = runId;
    this.#outbox.joined(event.runId, runId);
    this.#changed({ kind: "reset" });
  }

  /** The user's message is the server's now: this tab's, or another's. @param {RunStarted} event */
  #started(event) {
    this.#begun = true;
    const version = event.replaces ? this.#cut(event.replaces) : undefined;
    this.#changed({ kind: "message", message: this.#thread.asked(event, version) });
    if (!this.#subscribed) this.#subscribe();
  }

  /** The answer of a run. @param {string} runId @param {Run} run */
  #answer(runId, run) {
    const found = this.#answers.get(runId);
    if (found) return found;
    const message = this.#thread.answered(run.transcript.message());
    message.streaming = !run.over;
    this.#answers.set(runId, message);
    this.#latest = run.clientMessageId ? run : this.#latest;
    return message;
  }

  /** @param {Message} message @param {Run} run */
  #ended(message, run) {
    this.#answers.delete(run.id);
    this.#measure(run);
    this.#outbox.ended(run, message);
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

  /** The events that came while there was no listener, and at first all of them. */
  async #refresh() {
    const before = new Set(this.messages);
    try {
      const page = await this.#page({ limit: PAGE });
      if (this.#closed) return;
      this.#thread.merge(page.messages, { before, live: new Set(this.#answers.values()) });
      this.#changed({ kind: "reset" });
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

  /** A message and what follows it are no part of this conversation any more. @param {string} id @returns {number | undefined} the version of what comes in its place */
  #cut(id) {
    const gone = this.#thread.cut(id);
    if (!gone) return undefined;
    this.#changed({ kind: "reset" });
    return (gone.version ?? 1) + 1;
  }

  // -- telling

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
