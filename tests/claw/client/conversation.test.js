// What a live conversation says while the server asks to wait.
import assert from "node:assert/strict";
import test from "node:test";
import { ClawClient } from "../../../static/claw/client.js";

/** The digest of an answer without text. */
const EMPTY = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const RUN = { runId: "run_1", conversationId: "conv_1", messageId: "msg_1" };

/** Short waits are over at once. */
const timers = {
  setTimeout: (run, ms) => setTimeout(run, ms >= 10_000 ? 2 ** 30 : 1),
  clearTimeout,
  now: () => performance.now(),
};

/** The answer of a server that is asked too much. */
function refusal(code, retryAfter) {
  const error = { code, message: "Later.", retryable: true, retryAfter };
  return Response.json({ error }, { status: 429 });
}

/** A client whose requests are answered so, one after the other. */
function client(...answers) {
  const fetch = async () => answers.shift()();
  return new ClawClient({ url: "http://localhost", token: "t", fetch, transport: "sse", timers });
}

/** A body that says nothing until it is aborted. */
const silence = (signal) =>
  new ReadableStream({
    start: (body) => signal.addEventListener("abort", () => body.error(signal.reason)),
  });

const hang = () => new Promise(() => {});

test("a message that has to wait says until when and why, and is sent again", async () => {
  let sent = 0;
  const started = { type: "run_started", userMessageId: "msg_0", userContent: "Hi", ...RUN, seq: 1 };
  const stream = () => {
    sent += 1;
    const events = `data: ${JSON.stringify({ ...started, clientMessageId: "name" })}\n\n`;
    return new Response(events, { headers: { "Content-Type": "text/event-stream" } });
  };
  const talking = client(() => refusal("rate_limited", 5000), stream, hang, hang, hang);
  const conversation = talking.conversation();
  const states = [];
  const waited = new Promise((resolve) => {
    conversation.on("change", ({ message }) => {
      if (message?.role !== "user") return;
      const { status, error, retryAt } = message;
      states.push([status, error?.code, retryAt && Math.round((retryAt - Date.now()) / 1000)]);
      if (status === "completed") resolve();
    });
  });
  void conversation.send("Hi", { clientMessageId: "name" });
  await waited;
  assert.deepEqual(states.slice(0, 2), [["sending", undefined, undefined], ["sending", "rate_limited", 5]]);
  assert.deepEqual(states.at(-1), ["completed", undefined, undefined]);
  assert.equal(sent, 1);
  talking.close();
});

test("a message that waits can be stopped", async () => {
  const asking = client(() => refusal("rate_limited", 50_000));
  const conversation = asking.conversation();
  const waits = new Promise((resolve) => {
    conversation.on("change", ({ message }) => message?.retryAt && resolve());
  });
  const sent = conversation.send("Hi");
  await waits;
  conversation.cancel();
  const { status, error } = await sent;
  assert.deepEqual([status, error.code], ["failed", "cancelled"]);
  asking.close();
});

test("a history that has to wait says so, and is still on its way", async () => {
  const reading = client(() => refusal("too_many_connections", 3000), hang, hang);
  const conversation = reading.conversation({ conversationId: "conv_1" });
  const told = new Promise((resolve) => conversation.on("delayed", resolve));
  void conversation.open();
  const { error, until } = await told;
  assert.equal(error.code, "too_many_connections");
  assert.ok(until > Date.now() && until <= Date.now() + 3000);
  assert.ok(conversation.isLoading);
  reading.close();
  assert.ok(!conversation.isLoading);
});

test("a conversation that was refused from the beginning is not looked for", async () => {
  const asking = client(() => Response.json({ error: { code: "message_too_large", message: "No." } }, { status: 413 }));
  const conversation = asking.conversation();
  const errors = [];
  conversation.on("error", ({ code }) => errors.push(code));
  assert.equal((await conversation.send("Long")).status, "failed");
  await conversation.open();
  assert.deepEqual(errors, ["message_too_large"]);
  asking.close();
});

test("what the agent needs of somebody is decided over the conversation", async () => {
  const call = { id: "call_1", tool: "pay", args: { to: "Bob" }, argsDigest: "sha256:00" };
  const required = { ...call, expiresAt: "2100-01-01T00:00:00Z", approvers: "visitor" };
  const events = [
    { type: "run_started", userMessageId: "msg_0", userContent: "Pay", clientMessageId: "pay", ...RUN, seq: 1 },
    { type: "tool_call", ...call, ...RUN, seq: 2 },
    { type: "approval_required", ...required, ...RUN, seq: 3 },
    { type: "question", id: "call_2", text: "How much?", ...RUN, seq: 4 },
  ];
  const stream = events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join("");
  const told = [];
  let streams = 0;
  const fetch = async (url, { method, body }) => {
    const { pathname } = new URL(url);
    if (method === "POST" && pathname.startsWith("/api/runs/")) {
      told.push([pathname, JSON.parse(body)]);
      return Response.json({});
    }
    if (pathname !== "/api/chat/stream" || (streams += 1) > 1) return hang();
    return new Response(stream, { headers: { "Content-Type": "text/event-stream" } });
  };
  const asking = new ClawClient({ url: "http://localhost", token: "t", fetch, transport: "sse", timers });
  const conversation = asking.conversation();
  const asked = new Promise((resolve) => {
    conversation.on("change", () => conversation.pending.length === 2 && resolve());
  });
  void conversation.send("Pay", { clientMessageId: "pay" });
  await asked;
  assert.deepEqual(
    conversation.pending.map(({ kind, id, text }) => [kind, id, text]),
    [
      ["approval", "call_1", undefined],
      ["question", "call_2", "How much?"],
    ],
  );
  await conversation.approve("call_1", { approve: false, reason: "No." });
  await conversation.answer("call_2", "100");
  await asking.toolResult("run_1", "call_3", { shown: true });
  await assert.rejects(conversation.approve("call_9", { approve: true }), { code: "already_decided" });
  assert.deepEqual(told, [
    ["/api/runs/run_1/approvals/call_1", { argsDigest: "sha256:00", approve: false, reason: "No." }],
    ["/api/runs/run_1/answers", { id: "call_2", text: "100" }],
    ["/api/runs/run_1/tool-results", { id: "call_3", result: { shown: true }, isError: false }],
  ]);
  asking.close();
});

/**
 * A server whose first answer fails, that refuses the first `refusals` messages with `replaces`, and answers no history
 * until `read()`; `reading` resolves when it is asked for one.
 */
function replacing(t, { refusals }) {
  const asked = [];
  const history = [
    { id: "msg_0", role: "user", content: "Go", status: "completed", runId: "run_1", tools: [], sources: [] },
    { id: "msg_1", role: "assistant", content: "Half", status: "failed", runId: "run_1", tools: [], sources: [] },
  ];
  let [ask, read] = [() => {}, () => {}];
  const reading = new Promise((resolve) => (ask = resolve));
  const held = new Promise((resolve) => (read = resolve));
  const fetch = async (url, { method, body, signal }) => {
    const { pathname } = new URL(url);
    if (pathname.endsWith("/messages")) {
      ask();
      await held;
      return Response.json({ messages: history, nextCursor: null });
    }
    const headers = { "Content-Type": "text/event-stream" };
    if (method !== "POST") return new Response(silence(signal), { headers });
    const request = JSON.parse(body);
    asked.push(request.replaces ?? null);
    if (request.replaces && refusals-- > 0) {
      const error = { code: "run_active", message: "An answer is being written.", retryable: false };
      return Response.json({ error }, { status: 409 });
    }
    const n = asked.length;
    const run = { runId: `run_${n}`, conversationId: "conv_1", messageId: n === 1 ? "msg_1" : `msg_1${n}` };
    const events = [
      { type: "run_started", userMessageId: n === 1 ? "msg_0" : `msg_0${n}`, userContent: "Go", ...run, seq: 1 },
      { type: "error", code: "upstream_error", message: "It broke.", retryable: true, content: "", ...run, seq: 2 },
      { type: "done", length: 0, digest: EMPTY, metrics: {}, ...run, seq: 3 },
    ].map((event) => ({ ...event, clientMessageId: request.clientMessageId }));
    return new Response(events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(""), { headers });
  };
  const client = new ClawClient({ url: "http://localhost", token: "t", fetch, transport: "sse", timers });
  t.after(() => client.close());
  return { client, asked, reading, read };
}

test("a history that was read before a question was asked anew brings back nothing", async (t) => {
  const { client, reading, read } = replacing(t, { refusals: 0 });
  const conversation = client.conversation();
  await conversation.send("Go");
  await reading;
  const again = conversation.retry();
  const merged = new Promise((resolve) => {
    conversation.on("change", ({ kind }) => kind === "reset" && resolve());
  });
  read();
  await Promise.all([again, merged]);
  assert.deepEqual(conversation.messages.map(({ id }) => id), ["msg_02", "msg_12"]);
});

test("a question that takes another's place still does when it is sent again", async (t) => {
  const { client, asked } = replacing(t, { refusals: 2 });
  const conversation = client.conversation();
  await conversation.send("Go");
  const refused = await conversation.retry();
  assert.equal(refused.status, "failed");
  assert.equal((await conversation.retry()).status, "failed");
  await conversation.send("Go on", { replaces: conversation.messages.at(-1).id });
  assert.deepEqual(asked, [null, "msg_0", "msg_0", "msg_0"]);
});
