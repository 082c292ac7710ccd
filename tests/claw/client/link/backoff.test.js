import assert from "node:assert/strict";
import test from "node:test";
import { Backoff } from "../../../../static/claw/client/link/backoff.js";

test("it doubles from 1 s to 30 s, with jitter, and begins again", () => {
  const backoff = new Backoff();
  const limits = [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000];
  for (const round of [1, 2, 3]) {
    for (const limit of limits) {
      const delay = backoff.next();
      assert.ok(delay >= limit / 2 && delay <= limit, `round ${round}: ${delay} of ${limit}`);
    }
    backoff.reset();
  }
});

test("two clients do not come at the same moment", () => {
  const delays = Array.from({ length: 20 }, () => new Backoff().next());
  assert.equal(new Set(delays).size, delays.length);
});
