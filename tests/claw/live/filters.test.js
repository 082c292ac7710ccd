import assert from "node:assert/strict";
import test from "node:test";
import { chosenIn, fits, queryOf } from "../../../static/claw/live/filters.js";

const row = { id: "run_1", agentName: "Helper", model: "demo", owner: "visitor:anon:x", conversationId: "c", status: "running" };

test("an address holds the filters", () => {
  const query = "?agent=my-agent&status=active&by=visitor%3A&q=a+b&run=run_1";
  assert.equal(queryOf(chosenIn(query)), query);
  assert.equal(queryOf(chosenIn("")), "");
});

test("what is not understood filters nothing", () => {
  assert.equal(chosenIn("?status=nonsense&other=1").status, "");
  assert.ok(fits(row, chosenIn("?status=__proto__")));
});

test("a run fits what it is", () => {
  for (const [query, expected] of [
    ["", true],
    ["?status=active", true],
    ["?status=failed", false],
    ["?by=visitor:", true],
    ["?by=keys", false],
    ["?q=HELP", true],
    ["?q=run_1", true],
    ["?q=other", false],
    ["?q=%20", true],
  ]) {
    assert.equal(fits(row, chosenIn(query)), expected, query);
  }
});
