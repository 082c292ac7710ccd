import { ClawError, TOKEN_CODES } from "../errors.js";

/** @import {Item} from "./following.js" */
/** @import {Host, Lost} from "./link.js" */
/** @import {Run} from "../run.js" */
/** @import {Socket} from "../../types.js" */

/** A proxy that swallows the upgrade never answers: then it is no use to wait on. Milliseconds. */
const OPEN_WITHIN = 10_000;
/** Frames that may still be refused. */
const MAX_UNANSWERED = 200;

/** One WebSocket for everything that a client asks and follows (docs/protocol.md, WebSocket). */
export class SocketTransport {
  /** @readonly */
  kind = "websocket";
  /** Whether it can be given items. */
  ready = false;
  #host;
  /** @type {Socket | null} */
  #socket = null;
  /** @type {any} */
  #timer = null;
  #token = "";
  #frames = 0;
  /** Which item a frame was about, by its id. @type {Map<number, Item>} */
  #sent = new Map();
  #heartbeat = 30_000;
  /** @type {Lost} */
  #why = {};

  /** @param {Host} host */
  constructor(host) {
    this.#host = host;
    void this.#open();
  }

  /** Have an item carried: asked, or followed from its position. @param {Item} item */
  add(item) {
    const id = (this.#frames += 1);
    this.#sent.set(id, item);
    this.#sent.delete(id - MAX_UNANSWERED); // what was not refused by then will not be
    if (item.kind === "run") {
      const lastSeq = item.lastSeq || undefined;
      // Only here, at our own position: elsewhere tokens may be put together with some seen before.
      this.#send({ type: "resume", id, runId: item.id, lastSeq, merge: true });
      if (item.cancelling) this.cancel(item);
    } else if (item.kind === "subscription") {
      this.#send({ type: "subscribe", id, conversationId: item.conversationId });
    } else {
      item.sent = true;
      this.#send({ type: item.request.messages ? "chat" : "message", id, ...item.request });
    }
  }

  /** An item is wanted no more. @param {Item} item */
  remove(item) {
    if (item.kind === "subscription") {
      this.#send({ type: "unsubscribe", conversationId: item.conversationId });
    }
  }

  /** Stop a run. @param {Run} run */
  cancel(run) {
    this.#send({ type: "cancel", runId: run.id });
  }

  /** Is it still there? If it is not, that is found out soon. */
  probe() {
    if (!this.ready) return;
    this.#send({ type: "ping" });
    this.#watch(OPEN_WITHIN / 2);
  }

  /** The end of it, without a word to the host. */
  stop() {
    this.ready = false;
    this.#host.timers.clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.onerror = () => {}; // one that is closed before it has opened complains of that
    socket.close();
  }

  async #open() {
    try {
      this.#token = await this.#host.credentials.get();
    } catch (problem) {
      return this.#lose({ error: ClawError.from(problem) });
    }
    if (this.#host.current !== this) return; // stopped meanwhile
    const { url, WebSocket } = this.#host;
    if (!WebSocket) throw new TypeError("There is no WebSocket here.");
    const socket = new WebSocket(`${url.replace(/^http/, "ws").replace(/\/+$/, "")}/api/ws`);
    this.#socket = socket;
    this.#watch(OPEN_WITHIN);
    socket.onopen = () => {
      const { agentId } = this.#host;
      this.#send({ type: "auth", token: this.#token, agentId });
    };
    socket.onmessage = ({ data }) => this.#receive(data);
    socket.onerror = () => {}; // a close follows
    socket.onclose = ({ code }) => {
      const { error, token, delayMs } = this.#why;
      this.#lose(code >= 4000 ? { error, token, code } : { delayMs, code });
    };
  }

  /** @param {object} frame */
  #send(frame) {
    if (this.#socket?.readyState === 1) this.#socket.send(JSON.stringify(frame));
  }

  /** @param {string} data */
  #receive(data) {
    /** @type {any} */
    let frame;
    try {
      frame = JSON.parse(data);
    } catch {
      return this.#lose({ error: new ClawError("bad_response", "This is not our server.") });
    }
    if (this.ready) this.#watch(this.#heartbeat * 2.5);
    switch (frame.type) {
      case "auth_ok":
        this.ready = true;
        this.#heartbeat = frame.heartbeatMs ?? this.#heartbeat;
        this.#watch(this.#heartbeat * 2.5);
        this.#host.opened();
        return this.#host.following.items().forEach((item) => this.add(item));
      case "ping":
        return this.#send({ type: "pong" });
      case "subscribed":
        return this.#subscribed(this.#about(frame));
      case "reconnect":
        this.#why.delayMs = frame.delayMs;
        return;
      case "error":
        if (!frame.runId) return this.#refused(frame);
    }
    if (frame.runId) this.#host.receive(frame);
  }

  /** @param {any} frame */
  #refused(frame) {
    const error = ClawError.of(frame);
    // Without `replyTo`: a conversation that was deleted while it was followed.
    const item = this.#about(frame) ?? this.#host.following.subscription(frame.details?.conversationId);
    if (item) return this.#host.following.refused(item, error);
    this.#why.error = error; // the reason, if a close follows; else nobody waits for it
    if (TOKEN_CODES.has(error.code)) this.#why.token = this.#token;
  }

  /** @param {Item | undefined} item */
  #subscribed(item) {
    if (item?.kind === "subscription") for (const each of item.subscribers) each.subscribed();
  }

  /** @param {{replyTo?: number}} frame */
  #about(frame) {
    const item = this.#sent.get(frame.replyTo ?? 0);
    this.#sent.delete(frame.replyTo ?? 0);
    return item;
  }

  /** Set the longest silence of a connection. @param {number} ms */
  #watch(ms) {
    this.#host.timers.clearTimeout(this.#timer);
    this.#timer = this.#after(ms);
  }

  /** @param {number} ms */
  #after(ms) {
    return this.#host.timers.setTimeout(() => this.#lose({}), ms);
  }

  /** @param {Lost} why */
  #lose(why) {
    if (this.#host.current === this) this.#host.lost(why);
  }
}
