// Where messages stand that have joined an answer.
import assert from "node:assert/strict";
import test from "node:test";
import { Thread } from "../../../static/claw/client/thread.js";

const said = (id, runId, role = "user") => ({ id, role, runId, content: id, status: "completed" });
const ids = (thread) => thread.messages.map(({ id }) => id);
const steered = { type: "steered", userMessageId: "m2", clientMessageId: "mine", content: "Hurry", runId: "run_1" };

test("a message that joins an answer comes before it", () => {
  const thread = new Thread([said("m1", "run_1"), said("a1", "run_1", "assistant"), said("m2", "run_2")]);
  thread.joined(steered);
  assert.deepEqual(ids(thread), ["m1", "m2", "a1"]);
  thread.joined(steered); // told a second time
  assert.deepEqual(ids(thread), ["m1", "m2", "a1"]);
});

test("one of another tab is added", () => {
  const thread = new Thread([said("m1", "run_1"), said("a1", "run_1", "assistant")]);
  thread.joined(steered);
  assert.deepEqual(ids(thread), ["m1", "m2", "a1"]);
  assert.equal(thread.messages[1].content, "Hurry");
});

test("a message of another tab has the page that it was written on", () => {
  const thread = new Thread([said("m1", "run_1"), said("a1", "run_1", "assistant")]);
  const context = { title: "Boots" };
  thread.asked({ userMessageId: "m3", userContent: "These?", context, runId: "run_3" });
  thread.joined({ ...steered, context });
  assert.deepEqual(thread.messages.filter((message) => message.context === context).map(({ id }) => id).sort(), ["m2", "m3"]);
});

test("the history has the same order", () => {
  const thread = new Thread([]);
  const history = [said("m1", "run_1"), said("a1", "run_1", "assistant"), said("m2", "run_1"), said("m3", "run_3")];
  thread.merge(history, { before: new Set(), live: new Set() });
  assert.deepEqual(ids(thread), ["m1", "m2", "a1", "m3"]);
});
