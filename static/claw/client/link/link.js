import { Backoff, jittered } from "./backoff.js";
import { Emitter } from "../emitter.js";
import { ClawError, TOKEN_CODES } from "../errors.js";
import { Following } from "./following.js";
import { SocketTransport } from "./socket.js";
import { StreamTransport } from "./stream.js";
import { hidden, offline, watchPage } from "./wake.js";

/** @import {Api} from "../api.js" */
/** @import {Calls} from "../calls.js" */
/** @import {Credentials} from "../credentials.js" */
/** @import {Ask, Item, Subscriber} from "./following.js" */
/** @import {Sink} from "../run.js" */
/** @import {AnyEvent, ClientOptions, LinkStatus, Request, Snapshot, Socket, StreamEvent, Timers} from "../../types.js" */

/**
 * @typedef {SocketTransport | StreamTransport} Transport
 * @typedef {{error?: ClawError, delayMs?: number, code?: number, token?: string, ended?: boolean}} Lost
 *   `ended`: in good order, not broken
 * @typedef {{url: string, agentId?: string, api: Api, calls: Pick<Calls, "bring">, credentials: Credentials, timers: Timers,
 *   transport: NonNullable<ClientOptions["transport"]>, WebSocket?: new (url: string) => Socket}} LinkOptions
 * @typedef {LinkOptions & {
 *   readonly current: Transport | null,
 *   following: Following,
 *   opened(): void,
 *   receive(event: AnyEvent | Snapshot): void,
 *   lost(why: Lost): void,
 * }} Host What a transport knows of the link.
 */

/** How long a connection that nothing needs is kept for what may come. Milliseconds. */
const LINGER = 1000;
/** A connection that was only prepared is kept for so long. Milliseconds. */
const PREPARED = 60_000;
/** After a WebSocket that could not be had, event streams are used for so long. Milliseconds. */
const STREAMS_FOR = 60_000;
/** WebSockets in a row that brought nothing before they broke: then it is better without. */
const MAX_FRUITLESS = 2;
/** A connection that lasted so long was a success, also if nothing was said. Milliseconds. */
const LASTED = 10_000;
/** Tokens in a row that the server would not have. */
const MAX_RENEWALS = 2;
/** A closed link waits so long for the run that it is to stop. Milliseconds. */
const LAST_WORD = 5000;

/**
 * The connection to the server, whichever it is at the moment: what is asked and followed outlives
 * every transport, and goes on by position on the next one.
 * @extends {Emitter<{status: LinkStatus, event: StreamEvent, error: ClawError}>}
 */
export class Link extends Emitter {
  /** @type {LinkStatus} */
  status = "idle";
  #options;
  #following;
  #backoff = new Backoff();
  /** @type {Transport | null} */
  #transport = null;
  /** @type {any} */
  #timer = null;
  /** @type {any} */
  #lingering = null;
  #unwatch;
  /** Until when something is expected to be asked, by our clock. */
  #expected = 0;
  #closed = false;
  #opened = false;
  #openedAt = 0;
  #fruitless = 0;
  #renewals = 0;
  #streamsUntil = 0;
  /** The server has ended the last connection in good order: a loss only if there is no next one. */
  #parted = false;

  /** @param {LinkOptions} options */
  constructor(options) {
    super();
    this.#options = options;
    this.#following = new Following(this.#carrier(), options.api, options.timers);
    this.#unwatch = watchPage({
      awake: () => this.#awake(),
      offline: () => this.#offline(),
      leaving: () => this.#stopAll(),
    });
  }

  /** How it is connected at the moment: `websocket`, `sse`, or null. */
  get transport() {
    return this.#opened ? (this.#transport?.kind ?? null) : null;
  }

  /** Ask; the sink is told what comes of it. @param {Request} request @param {Sink} sink */
  ask(request, sink) {
    if (this.#closed) throw new ClawError("closed", "This client is closed.");
    const tools = this.#options.calls.bring(request.clientMessageId);
    return this.#following.ask(tools ? { ...request, tools } : request, sink);
  }

  /** Connect for what will be asked soon; if nothing is, the connection ends again. */
  prepare() {
    if (this.#closed || this.#following.busy || !this.#wantsSocket) return;
    this.#expected = this.#options.timers.now() + PREPARED;
    if (this.#transport) this.#rest();
    else this.#connect();
  }

  /** Stop what was asked. @param {Ask} ask */
  cancel(ask) {
    this.#following.cancel(ask);
  }

  /** Stop a run, or all that were asked for here; whether there was one. @param {string} [runId] */
  cancelAll(runId) {
    return this.#following.cancelAll(runId);
  }

  /** Be told what happens in a conversation. @param {string} conversationId @param {Subscriber} subscriber */
  subscribe(conversationId, subscriber) {
    if (!this.#closed) this.#following.subscribe(conversationId, subscriber);
  }

  /** @param {string} conversationId @param {Subscriber} subscriber */
  unsubscribe(conversationId, subscriber) {
    const unneeded = this.#following.unsubscribe(conversationId, subscriber);
    if (unneeded && this.#transport?.ready) this.#transport.remove(unneeded);
    this.#rest();
  }

  /**
   * The end: no timer, no socket. What is still waited for fails with `closed`; what was to be stopped is,
   * for which the connection may have to stay a moment.
   */
  close() {
    if (this.#closed) return;
    this.#unwatch();
    const ready = !!this.#transport?.ready;
    // The last frames before a socket closes may be lost.
    if (!ready || this.#transport?.kind === "websocket") this.#stopAll();
    this.#closed = true;
    this.#following.close(new ClawError("closed", "This client was closed."));
    if (ready && this.#following.busy) this.#lingering = this.#options.timers.setTimeout(() => this.#drop(), LAST_WORD);
    else this.#drop();
    this.#become("idle");
  }

  /** Without the connection, which may not be there, or for long enough: stop what is to be stopped. */
  #stopAll() {
    const { api } = this.#options;
    const said = [...this.#following.stopping.map((run) => api.stopRun(run.id))];
    for (const { request } of this.#following.unstopped) {
      if (request.conversationId) said.push(api.stopConversation(request.conversationId));
    }
    for (const each of said) each.catch(() => {}); // who asked for it is gone; a link that stays says it again
  }

  /** @returns {import("./following.js").Carrier} */
  #carrier() {
    return {
      carry: (item) => this.#carry(item),
      cancel: (run) => (this.#transport?.ready && !this.#closed ? this.#transport.cancel(run) : this.#stopAll()),
      distrust: () => this.#lost({ delayMs: 0 }),
      denied: (error) => this.#lost({ error }),
      rest: () => this.#rest(),
      patience: () => this.#backoff.next(),
      told: (event) => this.emit("event", event),
      problem: (error) => this.emit("error", error),
    };
  }

  /** @returns {Host} */
  #host() {
    const link = this;
    return {
      ...this.#options,
      get current() {
        return link.#transport;
      },
      following: this.#following,
      opened: () => this.#open(),
      receive: (event) => {
        this.#fruitless = 0;
        this.#succeed();
        this.#following.receive(event);
      },
      lost: (why) => this.#lost(why),
    };
  }

  /** @param {Item} item */
  #carry(item) {
    this.#backToSocket(item);
    if (this.#transport?.ready) this.#transport.add(item);
    else this.#connect();
  }

  // -- which connection

  #connect() {
    if (this.#closed || this.#transport || this.#timer !== null) return;
    if (!this.#wanted) return this.#become("idle");
    if (offline()) return this.#become("offline");
    this.#become(this.status === "reconnecting" ? "reconnecting" : "connecting");
    const host = this.#host();
    this.#transport = this.#wantsSocket ? new SocketTransport(host) : new StreamTransport(host);
  }

  /** Whether there is anything to be connected for, or soon will be. */
  get #wanted() {
    return this.#following.busy || this.#options.timers.now() < this.#expected;
  }

  get #wantsSocket() {
    const { transport, WebSocket } = this.#options;
    if (transport !== "auto") return transport === "websocket";
    return !!WebSocket && this.#options.timers.now() >= this.#streamsUntil;
  }

  /** A WebSocket is tried again from time to time, in a quiet moment. @param {Item} item */
  #backToSocket(item) {
    const streams = this.#transport?.kind === "sse";
    if (streams && this.#wantsSocket && this.#following.quietBut(item)) this.#drop();
  }

  #open() {
    if (!this.#opened) this.#openedAt = this.#options.timers.now();
    this.#opened = true;
    this.#parted = false;
    this.#become("online");
    this.#rest();
  }

  #succeed() {
    this.#backoff.reset();
    this.#renewals = 0;
  }

  /** @param {Lost} why */
  #lost(why) {
    if (this.#closed) {
      this.#stopAll();
      return this.#drop();
    }
    const [kind, opened] = [this.#transport?.kind, this.#opened];
    const { error } = why;
    if (opened && this.#options.timers.now() - this.#openedAt > LASTED) this.#succeed();
    this.#drop();
    if (!this.#following.busy) return this.#become("idle");
    if (error && !error.retryable) return void this.#denied(error, why.token);
    const idle = why.code === 4008;
    if (idle && hidden()) return this.#become("idle"); // until somebody looks
    const delayMs = why.delayMs ?? error?.retryAfter;
    const now = kind === "websocket" && delayMs === undefined && this.#givesUpSockets(opened);
    if (kind === "sse" && !opened) this.#streamsUntil = 0; // they are no better
    const parted = opened ? idle || !!why.ended : this.#parted && now;
    const broken = !parted && (opened || this.#parted);
    this.#parted = parted;
    this.#become(broken || this.status === "reconnecting" ? "reconnecting" : "connecting");
    this.#retry(now ? 0 : delayMs === undefined ? this.#backoff.next() : jittered(delayMs * 2));
  }

  /** Whether it is time for event streams, and at once. @param {boolean} opened */
  #givesUpSockets(opened) {
    this.#fruitless += opened ? 1 : MAX_FRUITLESS;
    if (this.#options.transport !== "auto" || this.#fruitless < MAX_FRUITLESS) return false;
    this.#fruitless = 0;
    this.#streamsUntil = this.#options.timers.now() + STREAMS_FOR;
    return true;
  }

  /** @param {number} ms */
  #retry(ms) {
    this.#timer = this.#options.timers.setTimeout(() => {
      this.#timer = null;
      this.#connect();
    }, ms);
  }

  /** The server will not have us: with another token, perhaps. @param {ClawError} error @param {string} [token] */
  async #denied(error, token) {
    const renewable = TOKEN_CODES.has(error.code) && token !== undefined;
    if (renewable && this.#renewals < MAX_RENEWALS && (await this.#options.credentials.renew(token))) {
      this.#renewals += 1;
      this.#become("connecting"); // nothing is lost
      return this.#connect();
    }
    this.#become("offline");
    this.#following.failAll(error);
    this.emit("error", error);
  }

  /** Let go of the transport and of what was planned. */
  #drop() {
    const { timers } = this.#options;
    if (this.#timer !== null) timers.clearTimeout(this.#timer);
    if (this.#lingering !== null) timers.clearTimeout(this.#lingering);
    const transport = this.#transport;
    this.#timer = this.#lingering = this.#transport = null;
    this.#opened = false;
    transport?.stop();
  }

  #awake() {
    this.#backoff.reset();
    if (this.#transport) return this.#transport.probe();
    this.#drop();
    this.#connect();
  }

  #offline() {
    if (!this.#following.busy) return;
    this.#drop();
    this.#become("offline");
  }

  /** @param {LinkStatus} status */
  #become(status) {
    if (status === this.status) return;
    this.status = status;
    this.emit("status", status);
  }

  /** Close the connection soon if there is nothing left to do. */
  #rest() {
    if (this.#closed && !this.#following.busy) return this.#drop();
    if (this.#following.busy || !this.#transport || this.#lingering !== null) return;
    const { timers } = this.#options;
    this.#lingering = timers.setTimeout(
      () => {
        this.#lingering = null;
        if (this.#following.busy) return;
        this.#drop();
        this.#become("idle");
      },
      Math.max(LINGER, this.#expected - timers.now()),
    );
  }
}
