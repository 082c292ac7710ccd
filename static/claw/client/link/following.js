import { MAX_WAIT } from "../api.js";
import { ClawError, TOKEN_CODES } from "../errors.js";
import { Run } from "../run.js";

/** @import {Api} from "../api.js" */
/** @import {Sink} from "../run.js" */
/** @import {AnyEvent, Request, Snapshot, StreamEvent, Timers} from "../../types.js" */

/**
 * @typedef {Ask | Run | Subscription} Item What a transport carries.
 * @typedef {Sink & {subscribed(): void, refused(error: ClawError): void}} Subscriber
 * @typedef {{
 *   carry(item: Item): void,
 *   cancel(run: Run): void,
 *   distrust(): void,
 *   denied(error: ClawError): void,
 *   rest(): void,
 *   patience(): number,
 *   told(event: StreamEvent): void,
 *   problem(error: ClawError): void,
 * }} Carrier What is needed of the connection.
 */

const MAX_ASKS = 100;
const FINISHED_KEPT = 200;
/** The receiver of runs whose asker has gone. @type {Sink} */
const NOBODY = { event: () => {}, failed: () => {} };
/** Refusals that a little time cures. */
const PASSING = new Set(["rate_limited", "unavailable", "too_many_connections"]);

/** Something that is asked, until its run is known. */
export class Ask {
  /** @readonly */
  kind = "ask";
  /** @type {Run | null} */
  run = null;
  /** The server may have it. */
  sent = false;
  cancelled = false;

  /** @param {Request} request @param {Sink} sink @param {number} sentAt */
  constructor(request, sink, sentAt) {
    this.request = request;
    this.sink = sink;
    this.sentAt = sentAt;
  }
}

/** Everything that happens in a conversation. */
export class Subscription {
  /** @readonly */
  kind = "subscription";
  /** @type {Set<Subscriber>} */
  subscribers = new Set();

  /** @param {string} conversationId */
  constructor(conversationId) {
    this.conversationId = conversationId;
  }
}

/** The messages and runs that are asked and followed over any connection: every event counts once. */
export class Following {
  #carrier;
  #api;
  #timers;
  /** @type {Set<Ask>} */
  #asks = new Set();
  /** @type {Map<string, Run>} */
  #runs = new Map();
  /** @type {Map<string, Subscription>} */
  #subscriptions = new Map();
  /** Runs that are over; whatever else comes of them was seen before. @type {Set<string>} */
  #finished = new Set();
  /** Those whose turn has not come. @type {Map<Item, any>} */
  #waiting = new Map();

  /** @param {Carrier} carrier @param {Api} api @param {Timers} timers */
  constructor(carrier, api, timers) {
    this.#carrier = carrier;
    this.#api = api;
    this.#timers = timers;
  }

  /** Whether there is anything to be connected for. */
  get busy() {
    const wanted = [...this.#runs.values()].some(({ sinks }) => sinks.size);
    return wanted || this.#asks.size + this.#subscriptions.size > 0;
  }

  /** Whether nothing is being answered, or asked but this. @param {Item} item */
  quietBut(item) {
    return item.kind === "ask" && this.#asks.size === 1 && !this.#followed().length;
  }

  /** The frames to carry, in the order in which a new connection is told: what the server may
   * have begun already comes before the conversations in which it would be news. */
  items() {
    // A connection goes on with what nobody listens to any more, a new one does not begin with it.
    for (const [id, { sinks }] of this.#runs) if (!sinks.size) this.#runs.delete(id);
    const items = [...this.#followed(), ...this.#asks, ...this.#subscriptions.values()];
    return items.filter((item) => !this.#waiting.has(item));
  }

  /** @param {string} conversationId */
  subscription(conversationId) {
    return this.#subscriptions.get(conversationId);
  }

  /** The first run of a conversation that is not over. @param {string} conversationId */
  unfinishedRun(conversationId) {
    return this.#followed().find((run) => run.conversationId === conversationId);
  }

  /** Whether more of it is expected. @param {Item} item */
  unfinished(item) {
    if (item.kind === "run") return !item.ended;
    if (item.kind === "ask") return item.run ? !item.run.ended : this.#asks.has(item);
    return this.#subscriptions.get(item.conversationId) === item;
  }

  #followed() {
    return [...this.#runs.values()].filter((run) => !run.ended && run.lastSeq > 0);
  }

  /** Runs that are being stopped. */
  get stopping() {
    return [...this.#runs.values()].filter((run) => run.cancelling && !run.ended);
  }

  /** The messages to stop as soon as the server names their runs. */
  get unstopped() {
    return [...this.#asks].filter((ask) => ask.cancelled && ask.sent);
  }

  // -- what is wanted

  /** @param {Request} request @param {Sink} sink */
  ask(request, sink) {
    if (this.#asks.size >= MAX_ASKS) throw new ClawError("unavailable", "Too much is asked at once.");
    const ask = new Ask(request, sink, this.#timers.now());
    this.#asks.add(ask);
    this.#carrier.carry(ask);
    return ask;
  }

  /** Stop what was asked, also where the server does not know it yet. @param {Ask} ask */
  cancel(ask) {
    ask.cancelled = true;
    if (ask.run) this.cancelRun(ask.run);
    else if (!ask.sent || this.#waiting.has(ask)) this.fail(ask, new ClawError("cancelled", "It was stopped before it was sent."));
  }

  /** Stop a run, now or as soon as there is a connection. @param {Run} run */
  cancelRun(run) {
    if (run.ended) return;
    run.cancelling = true;
    this.#carrier.cancel(run);
  }

  /** Stop a run, or all that were asked for here; whether there was one. @param {string} [runId] */
  cancelAll(runId) {
    if (runId === undefined) [...this.#asks].forEach((ask) => this.cancel(ask));
    const runs = [...this.#runs.values()].filter((run) => (runId ? run.id === runId : run.clientMessageId));
    runs.forEach((run) => this.cancelRun(run));
    return runs.length > 0;
  }

  /** @param {string} conversationId @param {Subscriber} subscriber */
  subscribe(conversationId, subscriber) {
    const subscription = this.#subscriptions.get(conversationId) ?? new Subscription(conversationId);
    subscription.subscribers.add(subscriber);
    this.#subscriptions.set(conversationId, subscription);
    for (const run of this.#runs.values()) {
      if (run.conversationId !== conversationId || run.ended || run.sinks.has(subscriber)) continue;
      run.sinks.add(subscriber);
      if (run.lastSeq > 0) subscriber.event(run.transcript.snapshot(), run);
    }
    this.#carrier.carry(subscription); // also a known one: the newcomer wants to hear `subscribed`
  }

  /** The subscription that nobody needs any more, if so. @param {string} conversationId @param {Subscriber} subscriber */
  unsubscribe(conversationId, subscriber) {
    for (const ask of this.#asks) if (ask.sink === subscriber && !ask.sent) this.#asks.delete(ask);
    for (const { sinks } of this.#runs.values()) sinks.delete(subscriber);
    const subscription = this.#subscriptions.get(conversationId);
    if (!subscription?.subscribers.delete(subscriber) || subscription.subscribers.size) return null;
    this.#subscriptions.delete(conversationId);
    return subscription;
  }

  // -- what comes

  /** @param {AnyEvent | Snapshot} event */
  receive(event) {
    if (event.type === "run_started") this.#bind(event.runId, event.clientMessageId);
    if (this.#finished.has(event.runId)) return;
    const run = this.#run(event.runId);
    if ("conversationId" in event) this.#locate(run, event.conversationId);
    if (event.type === "snapshot") return this.#replace(run, event);
    const verdict = run.judge(event);
    if (verdict === "seen") return;
    if (verdict === "gap") return this.#carrier.distrust();
    const shown = run.add(event, this.#timers.now());
    if (shown.type === "cancelled" && shown.joinedRunId) this.#join(run, shown, shown.joinedRunId);
    else if (shown.type === "done") void this.#finish(run, shown);
    else this.#tell(run, shown);
  }

  /** @param {string} id */
  #run(id) {
    const run = this.#runs.get(id) ?? new Run(id);
    this.#runs.set(id, run);
    return run;
  }

  /** A message has become a run. @param {string} runId @param {string} [clientMessageId] */
  #bind(runId, clientMessageId) {
    const ask = [...this.#asks].find(({ request }) => request.clientMessageId === clientMessageId);
    if (!ask) return;
    this.#asks.delete(ask);
    this.#finished.delete(runId);
    const run = this.#run(runId);
    run.claim(ask.request.clientMessageId, ask.sentAt);
    run.sinks.add(ask.sink);
    ask.run = run;
    if (ask.cancelled) this.cancelRun(run);
    if (ask.sink === NOBODY) {
      run.sinks.clear();
      return this.#carrier.rest();
    }
    if (run.lastSeq > 0) ask.sink.event(run.transcript.snapshot(), run);
  }

  /** @param {Run} run @param {string} conversationId */
  #locate(run, conversationId) {
    if (run.conversationId) return;
    run.conversationId = conversationId;
    for (const each of this.#subscriptions.get(conversationId)?.subscribers ?? []) run.sinks.add(each);
  }

  /** @param {Run} run @param {Snapshot} snapshot */
  #replace(run, snapshot) {
    if (run.ended || (run.lastSeq > 0 && snapshot.lastSeq <= run.lastSeq)) return;
    run.replace(snapshot);
    if (run.transcript.final) this.#forget(run);
    this.#tell(run, snapshot);
  }

  /** @param {Run} run @param {StreamEvent} event */
  #tell(run, event) {
    for (const sink of [...run.sinks]) sink.event(event, run);
    this.#carrier.told(event);
  }

  /** The last event is handed on when the text is known to be right. @param {Run} run @param {AnyEvent} done */
  async #finish(run, done) {
    run.ended = true;
    if (!(await run.verified())) await this.#repair(run);
    if (this.#runs.get(run.id) !== run) return; // nobody waits for it any more
    this.#forget(run);
    this.#tell(run, done);
  }

  /** Something is missing or wrong: take the text that the server has. @param {Run} run */
  async #repair(run) {
    const { transcript } = run;
    try {
      transcript.text = (await this.#api.json("GET", `/api/runs/${run.id}`)).content;
    } catch (problem) {
      this.#carrier.problem(ClawError.from(problem));
      transcript.text = transcript.outcome?.content ?? transcript.text;
    }
    this.#tell(run, transcript.snapshot());
  }

  /** @param {Run} run */
  #forget(run) {
    run.ended = run.over = true;
    this.#runs.delete(run.id);
    this.#finished.add(run.id);
    const [oldest] = this.#finished;
    if (this.#finished.size > FINISHED_KEPT) this.#finished.delete(oldest);
    this.#carrier.rest();
  }

  // -- what goes wrong

  /** The server will not have it. @param {Item} item @param {ClawError} error */
  refused(item, error) {
    if (!this.unfinished(item)) return;
    if (TOKEN_CODES.has(error.code)) return this.#carrier.denied(error);
    if (error.code === "history_expired") return void this.#recover(item, error);
    const wait = error.retryAfter ?? this.#carrier.patience();
    if (PASSING.has(error.code) && wait <= MAX_WAIT) this.#delay(item, error, wait);
    else this.fail(item, error);
  }

  /** @param {Item} item @param {ClawError} error */
  fail(item, error) {
    this.#timers.clearTimeout(this.#waiting.get(item));
    this.#waiting.delete(item);
    if (item.kind === "subscription") {
      this.#subscriptions.delete(item.conversationId);
      for (const each of item.subscribers) each.refused(error);
    } else if (item.kind === "run") {
      this.#forget(item);
      for (const sink of item.sinks) sink.failed(error, item);
    } else {
      this.#asks.delete(item);
      item.sink.failed(error, item);
    }
    this.#carrier.rest();
  }

  /** @param {ClawError} error */
  failAll(error) {
    const items = [...this.#asks, ...this.#runs.values(), ...this.#subscriptions.values()];
    items.forEach((item) => this.fail(item, error));
  }

  /** Its message has joined another run: who listened hears that one. @param {Run} run @param {StreamEvent} event @param {string} id */
  #join(run, event, id) {
    this.#tell(run, event);
    const other = this.#run(id);
    const newcomers = [...run.sinks].filter((sink) => !other.sinks.has(sink));
    for (const sink of newcomers) other.sinks.add(sink);
    if (!other.lastSeq) this.#carrier.carry(other);
    else for (const sink of newcomers) sink.event(other.transcript.snapshot(), other);
    this.#forget(run);
  }

  /** Give all followers up; `unstopped` is still waited for. @param {ClawError} error */
  close(error) {
    for (const ask of this.unstopped) {
      ask.sink.failed(error, ask);
      ask.sink = NOBODY;
    }
    const kept = new Set(this.unstopped);
    const items = [...this.#asks, ...this.#runs.values(), ...this.#subscriptions.values()];
    for (const item of items) if (!kept.has(/** @type {Ask} */ (item))) this.fail(item, error);
  }

  /** @param {Item} item @param {ClawError} error why it has to wait @param {number} ms */
  #delay(item, error, ms) {
    for (const sink of sinksOf(item)) sink.delayed?.(error, item, ms);
    const again = () => {
      this.#waiting.delete(item);
      if (this.unfinished(item)) this.#carrier.carry(item);
    };
    this.#waiting.set(item, this.#timers.setTimeout(again, ms));
  }

  /** The events are no longer kept, but the message is. @param {Item} item @param {ClawError} error */
  async #recover(item, error) {
    const runId = item.kind === "run" ? item.id : error.details?.runId;
    try {
      if (!runId) throw error;
      const found = await this.#api.json("GET", `/api/runs/${runId}`);
      if (!this.unfinished(item)) return;
      if (item.kind === "ask") this.#bind(runId, item.request.clientMessageId);
      const run = this.#run(runId);
      this.#locate(run, found.conversationId);
      const { content, messageId, conversationId, status, usage, lastSeq } = found;
      run.transcript.text = content;
      const message = { ...run.transcript.message(), id: messageId, runId, status, usage, error: found.error };
      const snapshot = { ...run.transcript.snapshot(), runId, messageId, conversationId, status, message };
      run.transcript.lastSeq = 0; // so that it counts as news
      this.#replace(run, { ...snapshot, lastSeq });
    } catch (problem) {
      this.fail(item, ClawError.from(problem));
    }
  }
}

/** @param {Item} item @returns {Iterable<Sink>} */
function sinksOf(item) {
  if (item.kind === "ask") return [item.sink];
  return item.kind === "run" ? item.sinks : item.subscribers;
}
