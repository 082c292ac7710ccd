// The event source that comes back, against servers of this process.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { once } from "node:events";
import test from "node:test";
import { ClawError, ReconnectingEventSource } from "../../../static/claw/client.js";

/** Waits between attempts are over at once, patience with silence is not; all are written down. */
class Timers {
  delays = [];
  open = new Set();
  setTimeout = (run, ms) => {
    this.delays.push(ms);
    const timer = setTimeout(() => this.open.delete(timer) && run(), ms === 45_000 ? 45_000 : 1);
    this.open.add(timer);
    return timer;
  };
  clearTimeout = (timer) => {
    this.open.delete(timer);
    clearTimeout(timer);
  };
  now = () => performance.now();
  get retries() {
    return this.delays.filter((ms) => ms !== 45_000);
  }
}

const HEAD = { "Content-Type": "text/event-stream" };

/** A server whose `answers` are used one after the other, the last one again and again. */
async function serving(t, ...answers) {
  const requests = [];
  const server = createServer((request, response) => {
    requests.push(request);
    answers[Math.min(requests.length, answers.length) - 1](response, request);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${server.address().port}/stream?a=b`, requests };
}

const sends = (text, end = true) => (response) => {
  response.writeHead(200, HEAD).write(text);
  if (end) setTimeout(() => response.destroy(), 20);
};
const refuses = (status, body) => (response) => {
  response.writeHead(status, { "Content-Type": "application/json" }).end(body && JSON.stringify(body));
};

function open(t, url, options) {
  const timers = new Timers();
  const source = new ReconnectingEventSource(url, { timers, ...options });
  t.after(() => source.close());
  return { source, timers };
}

test("it goes on after the last event, with its headers and its token", async (t) => {
  const { url, requests } = await serving(t, sends("id: 7\ndata: one\n\n"), sends("id: 8\ndata: two\n\n", false));
  const { source } = open(t, url, { token: "key", headers: { "X-Claw-Organization": "acme" } });
  const heard = [];
  source.onmessage = ({ data, lastEventId }) => heard.push([data, lastEventId]);
  while (heard.length < 2) await once(source, "message");
  assert.deepEqual(heard, [["one", "7"], ["two", "8"]]);
  assert.deepEqual(requests.map(({ headers }) => headers["last-event-id"]), [undefined, "7"]);
  assert.equal(requests[1].url, "/stream?a=b");
  assert.equal(requests[1].headers.authorization, "Bearer key");
  assert.equal(requests[1].headers["x-claw-organization"], "acme");
  assert.equal(source.readyState, ReconnectingEventSource.OPEN);
});

test("without a token none is sent, and named events have their name", async (t) => {
  const { url, requests } = await serving(t, sends("event: tick\ndata: 1\n\n", false));
  const { source } = open(t, url);
  const [{ data }] = await once(source, "tick");
  assert.equal(data, "1");
  assert.equal(requests[0].headers.authorization, undefined);
});

test("it gives up after five attempts, 2 to 30 seconds apart", async (t) => {
  const { url, requests } = await serving(t, (response) => response.destroy());
  const { source, timers } = open(t, url);
  const errors = [];
  source.onerror = ({ error, retryIn }) => errors.push([error.code, retryIn]);
  while (source.readyState !== 2) await once(source, "error");
  assert.deepEqual(timers.retries, [2000, 4000, 8000, 16_000, 30_000]);
  assert.equal(requests.length, 6);
  assert.deepEqual(errors.at(-1), ["network_error", null]);
});

test("an attempt that succeeds begins the count anew", async (t) => {
  const dies = (response) => response.destroy();
  const { url } = await serving(t, dies, dies, sends("data: 1\n\n"), dies, sends("data: 2\n\n", false));
  const { source, timers } = open(t, url);
  const heard = [];
  source.onmessage = ({ data }) => heard.push(data);
  while (heard.length < 2) await once(source, "message");
  assert.deepEqual(timers.retries, [2000, 4000, 2000, 4000]);
});

test("what the server refuses is not asked again, what is full is when it says", async (t) => {
  const refused = { error: { code: "forbidden", message: "This key has no scope." } };
  const full = { error: { code: "too_many_connections", message: "Full.", retryable: true, retryAfter: 60_000 } };
  const { url, requests } = await serving(t, refuses(429, full), refuses(403, refused));
  const { source, timers } = open(t, url);
  while (source.readyState !== 2) await once(source, "error");
  assert.deepEqual(timers.retries, [60_000]);
  assert.equal(requests.length, 2);
});

test("neither a page nor an end is a stream", async (t) => {
  for (const answer of [refuses(204), (response) => response.end("<html>")]) {
    const { url, requests } = await serving(t, answer);
    const { source } = open(t, url);
    const [{ error, retryIn }] = await once(source, "error");
    assert.ok(error instanceof ClawError);
    assert.equal(retryIn, null);
    assert.equal(requests.length, 1);
  }
});

test("a token that has expired is renewed", async (t) => {
  const expired = { error: { code: "token_expired", message: "Bring a new one." } };
  const { url, requests } = await serving(t, refuses(401, expired), sends("data: 1\n\n", false));
  const { source } = open(t, url, { getToken: ({ expired }) => (expired ? "new" : "old") });
  await once(source, "message");
  assert.deepEqual(requests.map(({ headers }) => headers.authorization), ["Bearer old", "Bearer new"]);
});

test("a stream that falls silent is asked again", async (t) => {
  const { url, requests } = await serving(t, sends("id: 1\ndata: 1\n\n", false));
  const { source } = open(t, url, { maxSilence: 60 });
  const [{ error }] = await once(source, "error");
  assert.equal(error.code, "network_error");
  await once(source, "message");
  assert.equal(requests[1].headers["last-event-id"], "1");
});

test("nothing is left of one that is closed", async (t) => {
  const { url, requests } = await serving(t, sends("data: 1\n\ndata: 2\n\n", false));
  const { source, timers } = open(t, url);
  const heard = [];
  let gone;
  source.onmessage = ({ data }) => {
    heard.push(data);
    gone = once(requests[0].socket, "close");
    source.close();
  };
  await once(source, "message");
  await gone;
  assert.deepEqual(heard, ["1"]);
  assert.equal(timers.open.size, 0);
  assert.equal(source.readyState, ReconnectingEventSource.CLOSED);
  assert.equal(requests.length, 1);
});
