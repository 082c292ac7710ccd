// What is carried out here, and what is said of it, without a server.
import assert from "node:assert/strict";
import test from "node:test";
import { Calls } from "../../../static/claw/client/calls.js";
import { ClawError } from "../../../static/claw/client/errors.js";

const STARTED = { type: "run_started", runId: "run_1", clientMessageId: "m-1" };
const CALL = { type: "tool_call", runId: "run_1", id: "c-1", tool: "add", args: { a: 2, b: 3 }, client: true };
const PENDING = { kind: "client_tool", id: "c-1", tool: "add", args: { a: 2, b: 3 } };
const timers = { setTimeout: (run) => setTimeout(run, 0), clearTimeout, now: () => 0 };

/** Calls with one tool, and what is sent of it; `answers` are those of the server, the last for ever. */
function adding(call = ({ a, b }) => a + b, { answers = [async () => ({})], repeatable = false } = {}) {
  const sent = [];
  const problems = [];
  const waiting = [];
  const api = {
    json: async () => ({ pending: [PENDING] }),
    toolResult: async (...result) => {
      sent.push(result);
      for (const wake of waiting.splice(0)) wake();
      return (answers.length > 1 ? answers.shift() : answers[0])();
    },
  };
  const tools = [{ name: "add", description: "Adds.", inputSchema: { type: "object" }, repeatable, call }];
  const calls = new Calls(tools, { api, timers, onProblem: (error) => problems.push(error) });
  const result = () => (sent.length ? sent.at(-1) : new Promise((resolve) => waiting.push(() => resolve(sent.at(-1)))));
  return { calls, sent, problems, result };
}

/** Time for what is on its way, and nothing else. */
const settled = () => new Promise((resolve) => setTimeout(resolve, 20));

/** What comes of a call in a run that was asked here. */
async function carriedOut(calls, call = CALL) {
  calls.bring("m-1");
  calls.hear(STARTED);
  calls.hear(call);
  await settled();
}

const refusal = (code) => async () => {
  throw new ClawError(code, `It is ${code}.`);
};

test("it works", async () => {
  const { calls, result } = adding();
  assert.deepEqual(calls.bring("m-1"), [{ name: "add", description: "Adds.", inputSchema: { type: "object" } }]);
  await carriedOut(calls);
  assert.deepEqual(await result(), ["run_1", "c-1", 5, false]);
});

test("a call is carried out once, however often it is heard of", async () => {
  const { calls, sent } = adding();
  await carriedOut(calls);
  calls.hear(CALL);
  calls.hear({ type: "snapshot", runId: "run_1", pending: [PENDING] });
  await settled();
  assert.equal(sent.length, 1);
});

test("a snapshot has calls that nobody has heard of", async () => {
  const { calls, result } = adding();
  calls.bring("m-1");
  calls.hear(STARTED);
  calls.hear({ type: "snapshot", runId: "run_1", pending: [{ ...PENDING, kind: "approval" }, PENDING] });
  assert.deepEqual(await result(), ["run_1", "c-1", 5, false]);
});

test("what somebody else has asked, another tool, and a tool of the server's are left alone", async () => {
  const { calls, sent } = adding();
  calls.bring("m-2");
  for (const event of [STARTED, CALL]) calls.hear(event);
  await carriedOut(calls, { ...CALL, tool: "other" });
  calls.hear({ ...CALL, client: undefined });
  await settled();
  assert.deepEqual(sent, []);
});

test("without tools nothing is brought", () => {
  const calls = new Calls([], { api: {}, timers, onProblem: assert.fail });
  assert.equal(calls.bring("m-1"), undefined);
});

for (const [what, call, expected] of [
  ["throws", () => { throw new Error("No cart."); }, ["No cart.", true]],
  ["rejects", async () => Promise.reject("No cart."), ["No cart.", true]],
  ["gives nothing", () => {}, [null, false]],
  ["gives what JSON has no word for", () => ({ at: new Date(0), left: undefined }), [{ at: "1970-01-01T00:00:00.000Z" }, false]],
]) {
  test(`a tool that ${what}`, async () => {
    const { calls, result } = adding(call);
    await carriedOut(calls);
    assert.deepEqual((await result()).slice(2), expected);
  });
}

test("a tool that gives no JSON has failed", async () => {
  const circle = {};
  circle.self = circle;
  const { calls, result } = adding(() => circle);
  await carriedOut(calls);
  assert.equal((await result())[3], true);
});

test("a result is sent until it is there", async () => {
  const { calls, sent, problems } = adding(undefined, {
    answers: [refusal("network_error"), refusal("unavailable"), async () => ({})],
  });
  await carriedOut(calls);
  assert.deepEqual([sent.length, problems], [3, []]);
});

test("a result that nobody waits for any more is no problem", async () => {
  for (const code of ["already_decided", "tool_call_not_found"]) {
    const { calls, sent, problems } = adding(undefined, { answers: [refusal(code)] });
    await carriedOut(calls);
    assert.deepEqual([sent.length, problems], [1, []]);
  }
});

test("the model is told of a result that the server does not take", async () => {
  const { calls, sent } = adding(undefined, { answers: [refusal("message_too_large"), async () => ({})] });
  await carriedOut(calls);
  assert.deepEqual(sent[1].slice(2), ["It is message_too_large.", true]);
});

test("what cannot be sent is told", async () => {
  const { calls, sent, problems } = adding(undefined, { answers: [refusal("forbidden")] });
  await carriedOut(calls);
  assert.deepEqual([sent.length, problems.map(({ code }) => code)], [1, ["forbidden"]]);
});

test("the end of the answer, and of the client, is told to the tool and nothing is sent", async () => {
  for (const end of [(calls) => calls.hear({ type: "cancelled", runId: "run_1" }), (calls) => calls.close()]) {
    let told;
    const { calls, sent } = adding((args, { signal }) => new Promise((resolve) => {
      told = signal;
      signal.addEventListener("abort", () => resolve("late"));
    }));
    await carriedOut(calls);
    end(calls);
    await settled();
    assert.deepEqual([told.aborted, sent], [true, []]);
  }
});

/** A browser whose page was left and is there again, as far as calls need it. */
function reloaded(t, kept = ["run_1"]) {
  const store = new Map([["claw:asked", JSON.stringify(kept)]]);
  const globals = {
    document: {},
    localStorage: { getItem: (name) => store.get(name) ?? null, setItem: (name, value) => store.set(name, value) },
    navigator: { locks: { request: async (name, act) => act() } },
  };
  for (const [name, value] of Object.entries(globals)) {
    const before = Object.getOwnPropertyDescriptor(globalThis, name);
    Object.defineProperty(globalThis, name, { value, configurable: true });
    t.after(() => (before ? Object.defineProperty(globalThis, name, before) : delete globalThis[name]));
  }
  return store;
}

test("after a reload a call goes on if it does the same a second time", async (t) => {
  reloaded(t);
  for (const [repeatable, expected] of [[true, [5, false]], [false, [/may have run/, true]]]) {
    const { calls, result } = adding(undefined, { repeatable });
    calls.hear({ type: "snapshot", runId: "run_1", pending: [PENDING] });
    const [, , value, isError] = await result();
    assert.equal(isError, expected[1]);
    if (isError) assert.match(value, expected[0]);
    else assert.equal(value, expected[0]);
  }
});

test("after a reload the runs of others are theirs", async (t) => {
  reloaded(t, ["run_2"]);
  const { calls, sent } = adding(undefined, { repeatable: true });
  calls.hear({ type: "snapshot", runId: "run_1", pending: [PENDING] });
  await settled();
  assert.deepEqual(sent, []);
});

test("a browser remembers a run until its end", async (t) => {
  const store = reloaded(t, []);
  const { calls } = adding();
  await carriedOut(calls);
  assert.equal(store.get("claw:asked"), '["run_1"]');
  calls.hear({ type: "message_complete", runId: "run_1" });
  assert.equal(store.get("claw:asked"), "[]");
});
