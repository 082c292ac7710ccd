import assert from "node:assert/strict";
import test from "node:test";
import { Minutes } from "../../../static/claw/live/minutes.js";

const NOW = Date.UTC(2026, 10, 30, 12, 30, 15);
const at = (seconds) => new Date(NOW + seconds * 1000).toISOString();
const started = (id, seconds) => ({ type: "run:started", at: at(seconds), run: { id } });
const completed = (id, seconds, run) => ({ type: "run:completed", at: at(seconds), run: { id, startedAt: null, ...run } });

test("it works: a run belongs to the minute in which it was accepted", () => {
  const minutes = new Minutes();
  minutes.add(started("run_1", -60));
  minutes.add(completed("run_1", 0, { status: "failed", tokens: 7, cost: 0.5 }));
  const last = minutes.last(NOW);
  assert.equal(last.length, 60);
  assert.deepEqual(last.map(({ runs }) => runs).slice(-3), [0, 1, 0]);
  const { errors, tokens, cost, cancelled } = last.at(-2);
  assert.deepEqual([errors, tokens, cost, cancelled], [1, 7, 0.5, 0]);
});

test("what the server says comes in place of what was counted", () => {
  const minutes = new Minutes();
  minutes.add(started("run_1", 0));
  minutes.replace([{ at: "2026-11-30T12:30:00Z", runs: 5, errors: 0, cancelled: 0, tokens: 50, cost: 1, ttftP95Ms: 90 }]);
  minutes.add(completed("run_1", 1, { status: "cancelled", tokens: 3, cost: null }));
  const last = minutes.last(NOW).at(-1);
  assert.deepEqual([last.runs, last.tokens, last.cancelled, last.ttftP95Ms], [5, 53, 1, 90]);
});

test("what is older than an hour is forgotten", () => {
  const minutes = new Minutes();
  minutes.add(started("run_1", 0));
  assert.ok(minutes.last(NOW + 2 * 60 * 60_000).every(({ runs }) => runs === 0));
  assert.equal(minutes.last(NOW).at(-1).runs, 0);
});
