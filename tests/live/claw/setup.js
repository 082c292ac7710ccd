// What the tests of the client share: a client on the server of this run, and what an answer must be.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import WebSocket from "ws";
import { ClawClient } from "../../../static/claw/client.js";

export const { URL: SERVER, API_KEY, MANAGER_KEY, ORGANIZATION_KEY } = process.env;
/** The full numbers instead of those that fit into `make test`. */
export const FULL = process.env.FULL === "1";
export const TRANSPORTS = ["websocket", "sse"];

/** Delays are a hundred times as short; it knows which there were, and whether any is left. */
export class Timers {
  pending = new Set();
  delays = [];

  /** Patience with a slow machine is left as it is. */
  shorten = (ms) => (ms >= 10_000 ? ms : ms / 100);

  setTimeout = (run, ms) => {
    this.delays.push(ms);
    const timer = setTimeout(() => {
      this.pending.delete(timer);
      run();
    }, this.shorten(ms));
    this.pending.add(timer);
    return timer;
  };

  clearTimeout = (timer) => {
    clearTimeout(timer);
    this.pending.delete(timer);
  };

  now = () => performance.now();
}

/** @param {object} [options] */
export function connect(options = {}) {
  return new ClawClient({ url: SERVER, token: API_KEY, WebSocket, timers: new Timers(), ...options });
}

/** A message that the model server answers with so many words. @param {number} tokens @param {string} [how] */
export const asking = (tokens, how = "delay=1") => `Hello [[upstream tokens=${tokens} ${how}]]`;

/** @param {number} tokens */
export const words = (tokens) => Array.from({ length: tokens }, (_, i) => `w${i} `).join("");

/**
 * The events of a whole answer, which must be as promised: each token once and in order, one outcome,
 * the digest right.
 */
export async function read(answer, onToken = (_) => {}) {
  const events = [];
  let text = "";
  let next = 0;
  for await (const event of answer) {
    events.push(event);
    if (event.type === "snapshot") [text, next] = [event.message.content, event.nextIndex];
    if (event.type !== "token") continue;
    assert.equal(event.index, next, "a token is lost or doubled");
    next += event.count ?? 1;
    text += event.content;
    onToken(event);
  }
  const seqs = events.map(({ seq }) => seq ?? 0).filter(Boolean);
  assert.deepEqual(seqs, [...new Set(seqs)].sort((a, b) => a - b), "events come once and in order");
  const done = events.at(-1);
  assert.equal(done.type, "done");
  assert.equal(done.digest, "sha256:" + createHash("sha256").update(text).digest("hex"));
  assert.equal(done.metrics.tokenCount, next);
  return { events, text, done };
}

/** Run `each` for all items, so many at a time. */
export async function pooled(items, size, each) {
  const queue = [...items];
  const worker = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await each(item);
  };
  await Promise.all(Array.from({ length: size }, worker));
}
