import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import test from "node:test";
import { Transcript } from "../../../static/claw/client/transcript.js";

// The same files as tests/engine/test_transcript.py.
const FOLDER = new URL("../../fixtures/", import.meta.url);
const FIXTURES = readdirSync(FOLDER)
  .filter((name) => name.endsWith(".json"))
  .map((name) => ({ name, ...JSON.parse(readFileSync(new URL(name, FOLDER), "utf-8")) }));

/** @param {any[]} events */
function foldAll(events, transcript = new Transcript()) {
  for (const event of events) transcript.fold(event);
  return transcript;
}

test("it works", () => {
  assert.ok(FIXTURES.length >= 10);
});

for (const { name, events, snapshot } of FIXTURES) {
  test(`${name}: the fold of a run is its snapshot`, () => {
    assert.deepEqual(foldAll(events).snapshot(), snapshot);
  });

  test(`${name}: it can be cut anywhere and gone on with`, () => {
    for (let cut = 0; cut <= events.length; cut += 1) {
      const transcript = foldAll(events.slice(0, cut));
      transcript.snapshot(); // asking changes nothing
      assert.deepEqual(foldAll(events.slice(cut), transcript).snapshot(), snapshot);
    }
  });

  test(`${name}: it goes on from a snapshot taken anywhere`, () => {
    for (let cut = 1; cut <= events.length; cut += 1) {
      const taken = JSON.parse(JSON.stringify(foldAll(events.slice(0, cut)).snapshot()));
      const transcript = Transcript.of(taken);
      assert.deepEqual(transcript.snapshot(), taken);
      assert.deepEqual(foldAll(events.slice(cut), transcript).snapshot(), snapshot);
    }
  });

  test(`${name}: done describes the text`, async () => {
    const transcript = foldAll(events);
    if (!transcript.done) return;
    assert.equal(await transcript.digest(), transcript.done.digest);
    assert.equal(transcript.length, transcript.done.length);
    assert.equal(transcript.outcome.content, transcript.text);
  });
}

test("an event of an unknown type changes nothing but the position", () => {
  const transcript = foldAll([{ type: "novelty", seq: 7, runId: "run_1" }]);
  assert.equal(transcript.lastSeq, 7);
  assert.equal(transcript.status, "queued");
});
