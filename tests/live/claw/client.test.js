// The client against a real server, over both transports.
import assert from "node:assert/strict";
import test from "node:test";
import { TRANSPORTS, asking, connect, read, words } from "./setup.js";

for (const transport of TRANSPORTS) {
  test(`${transport}: it works`, async () => {
    const client = connect({ transport });
    const { events, text, done } = await read(client.chat.stream(asking(20)));
    assert.equal(text, words(20));
    const types = events.map(({ type }) => type).filter((type) => type !== "token");
    assert.deepEqual(types, ["run_started", "typing", "usage", "typing", "message_complete", "done"]);
    const first = events.find(({ type }) => type === "token");
    assert.equal(done.metrics.ttft, first.metrics.ttft);
    assert.ok(done.metrics.ttft > 0 && done.metrics.tokensPerSecond > 0);
    client.close();
  });

  test(`${transport}: a conversation grows as it is answered, and can be opened again`, async () => {
    const client = connect({ transport });
    const conversation = client.conversation();
    let text = "";
    conversation.on("change", (change) => (text += change.kind === "append" ? change.text : ""));
    const types = [];
    conversation.on("event", ({ type }) => types.push(type));
    const sent = conversation.send(asking(10));
    assert.deepEqual(conversation.messages.map(({ status }) => status), ["sending"]);
    assert.ok(conversation.isStreaming);
    const answer = await sent;
    assert.equal(text, words(10));
    assert.deepEqual([types[0], types.at(-1)], ["run_started", "done"]);
    assert.deepEqual([answer.content, answer.status, answer.streaming], [words(10), "completed", false]);
    assert.ok(!conversation.isStreaming);
    assert.equal(conversation.metrics.tokenCount, 10);
    const again = client.conversation({ conversationId: conversation.id });
    await again.open();
    assert.deepEqual(again.messages.map(({ content }) => content), [asking(10), words(10)]);
    client.close();
  });
}

test("close leaves no timer and no socket", async () => {
  const sockets = [];
  const { default: WebSocket } = await import("ws");
  class Kept extends WebSocket {
    constructor(url) {
      super(url);
      sockets.push(this);
    }
  }
  const client = connect({ WebSocket: Kept });
  await read(client.chat.stream(asking(3)));
  const closed = new Promise((resolve) => sockets[0].once("close", resolve));
  client.close();
  await closed; // and then nothing keeps this process
  assert.equal(sockets.length, 1);
});
