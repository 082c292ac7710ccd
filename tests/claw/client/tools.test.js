import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { createToolCallAccumulator } from "../../../static/claw/client/tools.js";

const delta = (index, fragment, more = {}) => ({ type: "tool_call_delta", index, arguments: fragment, ...more });
const call = (id, name, args) => ({ type: "tool_call", id, tool: name, args, name, arguments: args });

test("it works with a real run", () => {
  const file = new URL("../../fixtures/tools.json", import.meta.url);
  const { events } = JSON.parse(readFileSync(file, "utf-8"));
  const accumulator = createToolCallAccumulator();
  const complete = events
    .filter(({ type }) => type.startsWith("tool_call"))
    .map((event) => accumulator.feed(event))
    .filter((result) => result.complete);
  assert.deepEqual(complete.map(({ toolCall }) => toolCall), [
    { id: "toolu_1", name: "search", arguments: { query: "a" } },
    { id: "toolu_2", name: "search", arguments: {} },
  ]);
  assert.deepEqual(accumulator.pending, []);
});

test("parallel calls are told apart, cut anywhere", () => {
  const texts = ['{"city":"Zürich"}', '{"n":12}'];
  for (let size = 1; size < 10; size += 1) {
    const accumulator = createToolCallAccumulator();
    accumulator.feed(delta(0, "", { id: "a", name: "weather" }));
    accumulator.feed(delta(1, "", { id: "b", name: "count" }));
    for (let at = 0; at < 20; at += size) {
      texts.forEach((text, index) => accumulator.feed(delta(index, text.slice(at, at + size))));
    }
    assert.deepEqual(accumulator.pending, [
      { id: "a", name: "weather", arguments: texts[0] },
      { id: "b", name: "count", arguments: texts[1] },
    ]);
    assert.ok(accumulator.feed(call("b", "count", { n: 12 })).complete);
    assert.deepEqual(accumulator.pending.map(({ id }) => id), ["a"]);
  }
});

test("fragments that happen to be JSON complete nothing", () => {
  const accumulator = createToolCallAccumulator();
  assert.deepEqual(accumulator.feed(delta(0, "1", { id: "a", name: "f" })), { complete: false });
  accumulator.feed(delta(0, "2"));
  assert.equal(accumulator.pending[0].arguments, "12");
  accumulator.reset();
  assert.deepEqual(accumulator.pending, []);
});

test("it does not grow without end", () => {
  const accumulator = createToolCallAccumulator();
  for (let index = 0; index < 1000; index += 1) accumulator.feed(delta(index, "x"));
  for (let i = 0; i < 30; i += 1) accumulator.feed(delta(0, "x".repeat(100_000)));
  assert.ok(accumulator.pending.length <= 128);
  assert.ok(accumulator.pending[0].arguments.length < 1_200_000);
});
