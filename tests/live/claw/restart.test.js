// The server leaves in the middle of answers, and comes back (test_claw.py does that).
import assert from "node:assert/strict";
import test from "node:test";
import { TRANSPORTS, Timers, asking, connect, read, words } from "./setup.js";

test("a restart of the server is told, waited for, and lived through", async () => {
  const leave = (() => {
    let left = TRANSPORTS.length;
    return () => (left -= 1) === 0 && process.kill(Number(process.env.SERVER_PID), "SIGTERM");
  })();
  await Promise.all(
    TRANSPORTS.map(async (transport) => {
      const timers = new Timers();
      timers.shorten = (ms) => ms; // a server takes its time to come back
      const client = connect({ transport, timers });
      const statuses = [];
      client.on("connection", (status) => statuses.push(status));
      const { text } = await read(client.chat.stream(asking(100, "delay=20")), ({ index }) => index === 20 && leave());
      assert.equal(text, words(100));
      client.close();
      if (transport === "sse") return; // its stream ends in good order: if the server is back by then, nothing was lost
      assert.ok(statuses.includes("reconnecting"));
      // 1 s is what the server asks for; nobody comes sooner, and not all at the same moment.
      assert.ok(timers.delays.some((ms) => ms >= 1000 && ms <= 2000));
    }),
  );
});
