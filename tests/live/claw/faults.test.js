// What else can go wrong: loss inside a connection, refusals, tokens that expire, being stopped.
import assert from "node:assert/strict";
import test from "node:test";
import WebSocket from "ws";
import { API_KEY, SERVER, TRANSPORTS, Timers, asking, connect, read, words } from "./setup.js";
import { Network } from "./network.js";

/**
 * Options of a client whose frames pass through `change`, which gives those that arrive instead.
 * @param {(frame: any) => any[]} change
 */
function changed(change) {
  class Changed extends WebSocket {
    set onmessage(handler) {
      super.onmessage = handler && ((event) => {
        for (const frame of change(JSON.parse(event.data))) handler({ data: JSON.stringify(frame) });
      });
    }
  }
  const changedFetch = async (url, init) => {
    const response = await fetch(url, init);
    if (!response.headers.get("content-type")?.startsWith("text/event-stream")) return response;
    let rest = "";
    const lines = new TransformStream({
      transform(text, controller) {
        const all = (rest + text).split("\n");
        rest = all.pop();
        for (const line of all) {
          const data = line.startsWith("data: ") ? change(JSON.parse(line.slice(6))) : [];
          const kept = line.startsWith("data: ") ? data.map((each) => `data: ${JSON.stringify(each)}\n\n`) : [`${line}\n`];
          for (const each of kept) controller.enqueue(each);
        }
      },
    });
    const body = response.body.pipeThrough(new TextDecoderStream()).pipeThrough(lines);
    return new Response(body.pipeThrough(new TextEncoderStream()), { status: response.status, headers: response.headers });
  };
  return { WebSocket: Changed, fetch: changedFetch };
}

/** All events of a run as the server has them, once it has ended. @param {string} runId */
async function eventsOf(runId) {
  const response = await fetch(`${SERVER}/api/runs/${runId}/events`, {
    headers: { Authorization: `Bearer ${API_KEY}` },
  });
  const lines = (await response.text()).split("\n").filter((line) => line.startsWith("data: "));
  return lines.map((line) => JSON.parse(line.slice(6)));
}

/** The next time that something is so. */
const until = (emitter, type, is) =>
  new Promise((resolve) => emitter.on(type, (value) => is(value) && resolve(value)));

for (const transport of TRANSPORTS) {
  test(`${transport}: a token that got lost is asked for again`, async () => {
    const lost = new Set([0, 7, 8]);
    const drop = (frame) => (frame.type === "token" && lost.delete(frame.index) ? [] : [frame]);
    const client = connect({ transport, ...changed(drop) });
    const { text } = await read(client.chat.stream(asking(20, "delay=5")));
    assert.equal(text, words(20));
    client.close();
  });

  test(`${transport}: a text that stays damaged is fetched`, async () => {
    for (const damage of [
      (frame) => (frame.type === "token" && frame.index === 3 ? [] : [frame]),
      (frame) => (frame.type === "token" && frame.index === 3 ? [{ ...frame, content: "?" }] : [frame]),
    ]) {
      const client = connect({ transport, ...changed(damage) });
      const answer = client.chat.stream(asking(10, "delay=5"));
      const events = [];
      for await (const event of answer) events.push(event);
      const [repaired, done] = events.slice(-2);
      assert.deepEqual([repaired.type, repaired.message.content], ["snapshot", words(10)]);
      assert.equal(done.type, "done");
      assert.equal(answer.message.content, words(10));
      client.close();
    }
  });

  test(`${transport}: what is unknown is ignored, what was seen is dropped`, async () => {
    const noise = (frame) => [{ type: "novelty", of: "tomorrow" }, frame, frame];
    const client = connect({ transport, ...changed(noise) });
    assert.equal((await read(client.chat.stream(asking(10)))).text, words(10));
    client.close();
  });

  test(`${transport}: a message whose answer never came is asked once`, async () => {
    const network = await Network.to(SERVER);
    let blinded = false;
    const blind = () => {
      if (!blinded) network.blind = blinded = true;
    };
    class Blind extends WebSocket {
      send(data) {
        if (data.includes('"message"')) blind();
        super.send(data);
      }
    }
    const blindFetch = (url, init) => {
      if (init.method === "POST") blind();
      return fetch(url, init);
    };
    const client = connect({ url: network.url, transport, WebSocket: Blind, fetch: blindFetch });
    const conversation = client.conversation();
    const answer = await conversation.send(asking(10));
    assert.equal(network.cuts, 1);
    assert.equal(answer.content, words(10));
    const { messages } = await client.conversations.messages(conversation.id);
    assert.deepEqual(messages.map(({ content }) => content), [asking(10), words(10)]);
    client.close();
    await network.close();
  });

  test(`${transport}: aborting stops the answer on the server`, async () => {
    const client = connect({ transport });
    const controller = new AbortController();
    const answer = client.chat.stream(asking(40, "mode=stall at=5"), { signal: controller.signal });
    await assert.rejects(async () => {
      for await (const event of answer) if (event.index === 4) controller.abort();
    }, { name: "AbortError" });
    const [outcome, done] = (await eventsOf(answer.runId)).slice(-2);
    assert.deepEqual([outcome.type, outcome.content, done.reason], ["cancelled", words(5), "cancelled"]);
    client.close();
  });

  test(`${transport}: a stop in a drop is carried out when there is a connection again`, async () => {
    const network = await Network.to(SERVER);
    const client = connect({ url: network.url, transport });
    const conversation = client.conversation();
    conversation.on("change", (change) => {
      if (change.kind !== "append" || change.message.content !== words(5)) return;
      network.cut();
      conversation.cancel();
    });
    const answer = await conversation.send(asking(40, "mode=stall at=5"));
    assert.deepEqual([answer.status, answer.content], ["cancelled", words(5)]);
    assert.ok(!conversation.isStreaming);
    client.close();
    await network.close();
  });

  test(`${transport}: a token is renewed when the server will not have it`, async () => {
    const asked = [];
    const getToken = async (about) => {
      asked.push(about.expired);
      return about.expired ? API_KEY : "not-a-token";
    };
    const client = connect({ transport, token: undefined, getToken });
    assert.equal((await read(client.chat.stream(asking(5)))).text, words(5));
    await client.conversations.list();
    assert.deepEqual(asked, [false, true]);
    client.close();
  });

  test(`${transport}: without another token it says why it cannot`, async () => {
    const client = connect({ transport, token: "not-a-token" });
    await assert.rejects(client.chat.send("Hello"), { name: "ClawError", code: "invalid_token", retryable: false });
    assert.equal(client.status, "offline");
    const conversation = client.conversation();
    const message = await conversation.send("Hello");
    assert.deepEqual([message.status, message.error.code], ["failed", "invalid_token"]);
    client.close();
  });

  test(`${transport}: an answer that failed is an error with its text, and can be asked for again`, async () => {
    const client = connect({ transport });
    const failing = asking(10, "mode=drop at=4");
    await assert.rejects(client.chat.send(failing), (error) => error.code.startsWith("upstream_") && error.retryable);
    const conversation = client.conversation();
    const first = await conversation.send(failing);
    assert.equal(first.status, "failed");
    assert.ok(first.error.code.startsWith("upstream_"));
    const second = await conversation.retry();
    assert.notEqual(second.id, first.id);
    client.close();
  });

  test(`${transport}: a message that is refused stays, with the reason, and can be sent again`, async () => {
    const client = connect({ transport });
    const conversation = client.conversation();
    const errors = [];
    conversation.on("error", ({ code }) => errors.push(code));
    const message = await conversation.send("x".repeat(40_000));
    assert.deepEqual([message.role, message.status, message.error.code], ["user", "failed", "message_too_large"]);
    assert.deepEqual(errors, ["message_too_large"]);
    assert.ok(!conversation.isStreaming);
    assert.equal((await conversation.retry()).status, "failed");
    assert.equal(conversation.messages.length, 1);
    client.close();
  });

  test(`${transport}: another tab sees all of it, also one that comes in the middle`, async () => {
    const [here, there, late] = [connect({ transport }), connect({ transport }), connect()];
    const first = here.conversation();
    await first.send(asking(3));
    const second = there.conversation({ conversationId: first.id });
    await second.open();
    assert.equal(second.messages.length, 2);
    const done = until(second, "event", ({ type }) => type === "done");
    const middle = until(second, "change", ({ kind, message }) => kind === "append" && message.content.length > 20);
    const answer = first.send(asking(100, "delay=5"));
    await middle;
    const third = late.conversation({ conversationId: first.id });
    const alsoDone = until(third, "event", ({ type }) => type === "done");
    await third.open();
    assert.ok(third.isStreaming);
    await Promise.all([answer, done, alsoDone]);
    const shown = first.messages.map(({ id, content, status }) => ({ id, content, status }));
    for (const other of [second, third]) {
      assert.deepEqual(other.messages.map(({ id, content, status }) => ({ id, content, status })), shown);
      assert.ok(!other.isStreaming);
    }
    assert.equal(shown[3].content, words(100));
    for (const client of [here, there, late]) client.close();
  });

  test(`${transport}: a connection that has gone silent is given up`, async () => {
    const network = await Network.to(SERVER);
    const timers = new Timers();
    const { shorten } = timers;
    timers.shorten = (ms) => (ms > 30_000 ? 300 : shorten(ms)); // two heartbeats and more
    const client = connect({ url: network.url, transport, timers });
    const { text } = await read(client.chat.stream(asking(100, "delay=5")), ({ index }) => {
      if (index !== 20) return;
      network.silent = true;
      until(client, "connection", (status) => status !== "online").then(() => (network.silent = false));
    });
    assert.equal(text, words(100));
    client.close();
    await network.close();
  });
}

test("a WebSocket that is refused, or never answered, is done without", async () => {
  const network = await Network.to(SERVER);
  network.upgrades = false;
  const client = connect({ url: network.url });
  assert.equal((await read(client.chat.stream(asking(5)))).text, words(5));
  assert.equal(client.transport, "sse");
  client.close();
  await network.close();
});

test("a limit is waited for as told", async () => {
  const timers = new Timers();
  let refused = 0;
  class Limited extends WebSocket {
    send(data) {
      const { type, id } = JSON.parse(data);
      if (type !== "message" || refused++) return super.send(data);
      const error = { type: "error", code: "rate_limited", message: "Too many.", retryAfter: 3210, replyTo: id };
      setImmediate(() => this.onmessage({ data: JSON.stringify(error) }));
    }
  }
  const client = connect({ WebSocket: Limited, timers });
  assert.equal((await read(client.chat.stream(asking(5)))).text, words(5));
  assert.ok(timers.delays.includes(3210));
  const limitedFetch = (url, init) => {
    if (refused++ > 5) return fetch(url, init);
    const error = { code: "rate_limited", message: "Too many.", retryAfter: 4321 };
    return Promise.resolve(Response.json({ error }, { status: 429 }));
  };
  const other = connect({ fetch: limitedFetch, timers, transport: "sse" });
  assert.equal((await other.conversations.list({ limit: 1 })).conversations.length, 1);
  refused = 4;
  assert.equal((await read(other.chat.stream(asking(5)))).text, words(5));
  assert.ok(timers.delays.filter((ms) => ms === 4321).length >= 3);
  client.close();
  other.close();
});

test("what is waited for fails when the client is closed", async () => {
  const network = await Network.to(SERVER);
  network.down = true;
  const timers = new Timers();
  let tries = 0;
  let enough;
  const triedTwice = new Promise((resolve) => (enough = resolve));
  const counted = (...request) => {
    if ((tries += 1) === 2) enough();
    return fetch(...request);
  };
  const client = connect({ url: network.url, timers, fetch: counted });
  const sending = client.chat.send("Hello");
  await triedTwice;
  client.close();
  await assert.rejects(sending, { code: "closed" });
  assert.equal(timers.pending.size, 0);
  await assert.rejects(client.chat.send("Hello"), { code: "closed" });
  await network.close();
});
