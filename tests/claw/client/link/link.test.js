// What a client says of its connection when an event stream ends in mid-answer.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import test from "node:test";
import { ClawClient } from "../../../../static/claw/client.js";

const TEXT = "So far and further";
const RUN = { runId: "run_1", conversationId: "conv_1", messageId: "msg_1" };
const USAGE = { inputTokens: 1, outputTokens: 2, totalTokens: 3 };
const REST = [
  { type: "token", content: " and further", index: 1, ...RUN, seq: 3 },
  { type: "message_complete", content: TEXT, usage: USAGE, stopReason: "end_turn", ...RUN, seq: 4 },
  {
    ...{ type: "done", reason: "complete", usage: USAGE, cost: null, metrics: { tokensPerSecond: 1 }, ...RUN, seq: 5 },
    ...{ digest: "sha256:" + createHash("sha256").update(TEXT).digest("hex"), length: TEXT.length },
  },
];

/** Where there can be none. */
class NoSocket {
  static tried = 0;
  readyState = 3;
  constructor() {
    NoSocket.tried += 1;
    setTimeout(() => this.onclose({ code: 1006 }));
  }
  close() {}
}

/** Short waits are over at once; patience is without end. The clock is the test's. */
class Timers {
  time = 0;
  setTimeout = (run, ms) => setTimeout(run, ms >= 10_000 ? 2 ** 30 : 1);
  clearTimeout = clearTimeout;
  now = () => this.time;
}

/** A response of these events, and what happens then. */
function stream(events, then) {
  const encoder = new TextEncoder();
  const body = new ReadableStream({
    start(controller) {
      controller.enqueue(encoder.encode("retry: 1000\n\n"));
      for (const event of events) controller.enqueue(encoder.encode(`data: ${JSON.stringify(event)}\n\n`));
      setTimeout(() => then(controller));
    },
  });
  return new Response(body, { headers: { "Content-Type": "text/event-stream" } });
}

/** What the client says while its first stream ends so, and the server is `away` so many times. */
async function statuses(then, away = 0) {
  const timers = new Timers();
  const fetch = async (url, { body }) => {
    if (!body) {
      if ((away -= 1) >= 0) throw new TypeError("fetch failed");
      return stream(REST, (controller) => controller.close());
    }
    const { clientMessageId } = JSON.parse(body);
    const started = { type: "run_started", clientMessageId, userMessageId: "msg_0", userContent: "Hi", ...RUN, seq: 1 };
    return stream([started, { type: "token", content: "So far", index: 0, ...RUN, seq: 2 }], (controller) => {
      timers.time += 15 * 60_000; // long enough that a WebSocket is tried again
      then(controller);
    });
  };
  const client = new ClawClient({ url: "http://localhost", token: "t", fetch, WebSocket: NoSocket, timers });
  const said = [];
  client.on("connection", (status) => said.push(status));
  const answer = client.chat.stream("Hi");
  for await (const event of answer) void event;
  assert.equal(answer.message.content, TEXT);
  client.close();
  return said;
}

test("a stream that ends in good order is no lost connection", async () => {
  NoSocket.tried = 0;
  const said = await statuses((controller) => controller.close());
  assert.deepEqual(said, ["connecting", "online", "connecting", "online", "idle"]);
  assert.equal(NoSocket.tried, 2);
});

test("it is one if the server is gone", async () => {
  const said = await statuses((controller) => controller.close(), 1);
  assert.deepEqual(said, ["connecting", "online", "connecting", "reconnecting", "online", "idle"]);
});

test("a stream that breaks is one", async () => {
  const said = await statuses((controller) => controller.error(new TypeError("terminated")));
  assert.deepEqual(said, ["connecting", "online", "reconnecting", "online", "idle"]);
});
