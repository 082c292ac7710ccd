// The history and what is happening meet in any order.
import assert from "node:assert/strict";
import test from "node:test";
import { SERVER, TRANSPORTS, Timers, asking, connect, read, words } from "./setup.js";
import { Network } from "./network.js";

/** A fetch that gives out the first history only when it is told to. */
function late() {
  let release;
  const released = new Promise((resolve) => (release = resolve));
  let asked;
  const wasAsked = new Promise((resolve) => (asked = resolve));
  const lateFetch = async (url, init) => {
    const response = await fetch(url, init);
    if (!/messages\?/.test(url) || init.method !== "GET") return response;
    const body = await response.text();
    asked();
    await released;
    return new Response(body, { status: response.status, headers: response.headers });
  };
  return { fetch: lateFetch, release, wasAsked };
}

for (const transport of TRANSPORTS) {
  test(`${transport}: a history from before takes nothing back`, async () => {
    const here = connect({ transport });
    const first = here.conversation();
    await first.send(asking(3));
    const history = late();
    const slow = connect({ transport, fetch: history.fetch });
    const second = slow.conversation({ conversationId: first.id });
    const opened = second.open();
    await history.wasAsked; // it knows two messages
    const done = new Promise((resolve) => second.on("event", ({ type }) => type === "done" && resolve()));
    await Promise.all([first.send(asking(5)), done]);
    history.release();
    await opened;
    const contents = second.messages.map(({ content, status }) => [content, status]);
    assert.deepEqual(contents.slice(-2), [[asking(5), "completed"], [words(5), "completed"]]);
    assert.ok(!second.isStreaming);
    for (const client of [here, slow]) client.close();
  });

  test(`${transport}: what was said while a tab was away is there when it is back`, async () => {
    const network = await Network.to(SERVER);
    const [here, away] = [connect({ transport }), connect({ url: network.url, transport })];
    const first = here.conversation();
    await first.send(asking(3));
    const second = away.conversation({ conversationId: first.id });
    await second.open();
    network.down = true;
    network.cut();
    await first.send(asking(4));
    const back = new Promise((resolve) => {
      second.on("change", () => second.messages.length === 4 && resolve());
    });
    network.down = false;
    await back;
    assert.deepEqual(second.messages.map(({ content }) => content), first.messages.map(({ content }) => content));
    for (const client of [here, away]) client.close();
    await network.close();
  });

  test(`${transport}: questions that wait keep their order, and each has its answer`, async () => {
    const client = connect({ transport });
    const conversation = client.conversation();
    const questions = [asking(30, "delay=5"), asking(3), asking(4)];
    const answers = await Promise.all(questions.map((text) => conversation.send(text)));
    assert.deepEqual(answers.map(({ content }) => content), [30, 3, 4].map(words));
    const shown = conversation.messages.map(({ content }) => content);
    const { messages } = await client.conversations.messages(conversation.id);
    assert.deepEqual(shown, messages.map(({ content }) => content));
    assert.ok(!conversation.isStreaming);
    client.close();
  });
}

test("older pages are loaded one by one", async () => {
  const client = connect();
  const { id: conversationId } = await client.conversations.create();
  for (let i = 0; i < 28; i += 1) {
    await read(client.conversations.sendMessageStream({ conversationId, content: asking(1) }));
  }
  const long = client.conversation({ conversationId });
  await long.open();
  assert.equal(long.messages.length, 50);
  assert.ok(long.hasOlder);
  await long.loadOlder();
  assert.equal(long.messages.length, 56);
  assert.ok(!long.hasOlder);
  client.close();
});

test("after a while a WebSocket is tried again", async () => {
  const network = await Network.to(SERVER);
  const timers = new Timers();
  let ahead = 0;
  timers.now = () => performance.now() + ahead;
  const client = connect({ url: network.url, timers });
  network.upgrades = false;
  const first = client.conversation();
  await first.send(asking(3));
  assert.equal(client.transport, "sse");
  network.upgrades = true;
  await first.send(asking(3));
  assert.equal(client.transport, "sse");
  ahead = 61_000;
  assert.equal((await first.send(asking(3))).content, words(3));
  assert.equal(client.transport, "websocket");
  client.close();
  await network.close();
});

test("a question is edited: what followed it is gone, here, elsewhere and in the history", async () => {
  const [here, there] = [connect(), connect()];
  const first = here.conversation();
  for (const tokens of [3, 4, 5]) await first.send(asking(tokens));
  const second = there.conversation({ conversationId: first.id });
  await second.open();
  const seen = new Promise((resolve) => second.on("event", ({ type }) => type === "done" && resolve()));
  const edited = first.messages[2];
  const answer = first.send(asking(6), { replaces: edited.id });
  assert.deepEqual(first.messages.map(({ content }) => content), [asking(3), words(3), asking(6)]);
  assert.equal((await answer).content, words(6));
  await seen;
  const { messages } = await here.conversations.messages(first.id);
  for (const shown of [first.messages, second.messages, messages]) {
    assert.deepEqual(shown.map(({ content }) => content), [asking(3), words(3), asking(6), words(6)]);
  }
  const rated = await here.messages.rate(first.messages[3].id, "up", "Right.");
  assert.equal(rated.feedback.rating, "up");
  await first.retry();
  assert.equal(first.messages.length, 4);
  assert.equal((await here.conversations.messages(first.id)).messages.length, 4);
  for (const client of [here, there]) client.close();
});
