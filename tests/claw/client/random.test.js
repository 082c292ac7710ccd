import assert from "node:assert/strict";
import test from "node:test";
import { uuid } from "../../../static/claw/client/random.js";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

test("a UUID also where a page has less of the crypto object", () => {
  const whole = globalThis.crypto;
  const found = [];
  for (const crypto of [whole, { getRandomValues: (bytes) => whole.getRandomValues(bytes) }, undefined]) {
    Object.defineProperty(globalThis, "crypto", { value: crypto, configurable: true });
    found.push(uuid(), uuid());
  }
  Object.defineProperty(globalThis, "crypto", { value: whole, configurable: true });
  found.forEach((each) => assert.match(each, UUID));
  assert.equal(new Set(found).size, found.length);
});
