import assert from "node:assert/strict";
import test from "node:test";
import { Runs } from "../../../static/claw/live/runs.js";

const at = (second) => new Date(Date.UTC(2026, 10, 30, 12, 0, second)).toISOString();
const run = (id, more = {}) => ({
  ...{ id, status: "queued", agentId: "agt_1", agentName: "Helper", conversationId: "conv_1", owner: "keys" },
  ...{ provider: "demo", model: "demo", tokens: 0, tokenUsage: { input: 0, output: 0, total: 0 }, cost: null },
  ...{ startedAt: null, completedAt: null, latencyMs: null, ttftMs: null, ...more },
});
const started = (id, second = 0) => ({ type: "run:started", at: at(second), run: run(id) });
const completed = (id, second, more = {}) => {
  const result = { status: "completed", reason: "complete" };
  return { type: "run:completed", at: at(second), run: run(id, { status: "completed", ...more }), result };
};
const progress = (runId, tokens, second = 1) => ({ type: "run:progress", at: at(second), runId, tokens, cost: null, elapsedMs: 1 });

function folded(...messages) {
  const runs = new Runs();
  messages.forEach((message) => runs.add(message));
  return runs;
}

test("it works: a run from its acceptance to its end", () => {
  const runs = folded(started("run_1"), { type: "run:status_changed", at: at(1), runId: "run_1", from: "queued", to: "running" });
  assert.equal(runs.get("run_1").status, "running");
  assert.equal(runs.get("run_1").startedAt, at(1));
  runs.add({ type: "run:tool_started", at: at(2), runId: "run_1", id: "t1", tool: "search" });
  assert.deepEqual([...runs.get("run_1").tools.values()], ["search"]);
  runs.add({ type: "run:tool_completed", at: at(3), runId: "run_1", id: "t1", tool: "search", durationMs: 1, isError: false });
  runs.add(progress("run_1", 40));
  runs.add(completed("run_1", 9, { tokens: 50, cost: 0.5 }));
  const row = runs.get("run_1");
  assert.deepEqual([row.tokens, row.cost, row.tools.size, row.endedAt - row.since], [50, 0.5, 0, 9000]);
  assert.deepEqual(runs.counts().completed, 1);
});

test("the newest comes first, and counters never fall", () => {
  const runs = folded(started("run_1"), started("run_2"), progress("run_1", 9), progress("run_1", 5));
  assert.deepEqual(runs.rows.map(({ id }) => id), ["run_2", "run_1"]);
  assert.equal(runs.get("run_1").tokens, 9);
});

test("a state replaces what is under way, and what has ended stays", () => {
  const runs = folded(started("run_1"), started("run_2"), completed("run_2", 1));
  runs.add({ type: "reset", at: at(2) });
  runs.add({ type: "state", at: at(2), runs: [run("run_4"), run("run_3", { startedAt: at(1), status: "running" })], connections: [] });
  assert.deepEqual(runs.rows.map(({ id }) => id), ["run_4", "run_3", "run_2"]);
  assert.equal(runs.get("run_3").since, Date.parse(at(1)));
});

test("an end that is told first counts, and nothing after it does", () => {
  const runs = folded(completed("run_1", 5, { tokens: 7 }), progress("run_1", 90), started("run_1", 6));
  assert.equal(runs.get("run_1").status, "completed");
  runs.add(progress("run_9", 5)); // of a run that is not shown
  assert.equal(runs.rows.length, 1);
});

test("however many end, the last are kept", () => {
  const runs = new Runs();
  for (let number = 0; number < 1000; number += 1) runs.add(completed(`run_${number}`, 1));
  assert.equal(runs.rows.length, 200);
  assert.equal(runs.rows[0].id, "run_999");
});

test("the speed is that of the last seconds", () => {
  const runs = folded(started("run_1"), progress("run_1", 100, 1), progress("run_1", 150, 4));
  assert.equal(runs.speed(Date.parse(at(5))), 30);
  assert.equal(runs.speed(Date.parse(at(30))), 0);
});
