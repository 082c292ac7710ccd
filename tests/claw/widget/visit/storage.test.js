// What tabs of one browser remember together. Each is a process that sees late what others wrote.
import assert from "node:assert/strict";
import test from "node:test";
import { Storage } from "../../../../static/claw/widget/visit/storage.js";

/** A tab's view of what the browser keeps. */
class View {
  #seen = new Map();
  #kept;

  constructor(kept) {
    this.#kept = kept;
  }

  catchUp() {
    this.#seen = new Map(this.#kept);
  }

  getItem(key) {
    return this.#seen.get(key) ?? null;
  }

  setItem(key, text) {
    for (const map of [this.#seen, this.#kept]) map.set(key, text);
  }

  removeItem(key) {
    for (const map of [this.#seen, this.#kept]) map.delete(key);
  }
}

test("tabs that write at the same time undo nothing of each other", () => {
  const kept = new Map();
  const [first, second] = [new View(kept), new View(kept)];
  const storage = new Storage("claw:agent");
  globalThis.localStorage = first;
  storage.set("token", "t");
  globalThis.localStorage = second; // which has not seen the token
  storage.set("open", true);
  for (const view of [first, second]) {
    view.catchUp();
    globalThis.localStorage = view;
    assert.deepEqual([storage.get("token"), storage.get("open")], ["t", true]);
  }
  storage.set("open", undefined);
  first.catchUp();
  globalThis.localStorage = first;
  assert.equal(storage.get("open"), undefined);
  assert.equal(new Storage("claw:other").get("token"), undefined);
});

test("where nothing is kept, the page remembers", () => {
  const refuse = () => {
    throw new Error("Forbidden.");
  };
  globalThis.localStorage = { getItem: refuse, setItem: refuse, removeItem: refuse };
  const storage = new Storage("claw:agent");
  assert.equal(storage.get("draft"), undefined);
  storage.set("draft", "Hello");
  assert.equal(storage.get("draft"), "Hello");
  storage.set("draft", undefined);
  assert.equal(storage.get("draft"), undefined);
});

test("what is not ours is nothing", () => {
  globalThis.localStorage = { getItem: () => "{half" };
  assert.equal(new Storage("claw:agent").get("draft"), undefined);
});
