// A stop outlives the client that said it: closed at once, before the run is known, or cut off.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Network } from "./network.js";
import { SERVER, TRANSPORTS, asking, connect, words } from "./setup.js";

const ENDLESS = asking(2000, "delay=10");

/** How the only answer of a conversation ended, asked by another client. @param {string} id */
async function outcome(id) {
  const client = connect();
  try {
    for (;;) {
      const { messages } = await client.conversations.messages(id).catch(() => ({ messages: [] }));
      const answer = messages.at(-1);
      if (answer?.role === "assistant" && answer.status !== "streaming" && answer.status !== "queued") return answer;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  } finally {
    client.close();
  }
}

for (const transport of TRANSPORTS) {
  test(`${transport}: aborted, then closed at once`, async () => {
    const client = connect({ transport });
    const controller = new AbortController();
    const answer = client.chat.stream(ENDLESS, { signal: controller.signal });
    const reading = (async () => {
      for await (const event of answer) {
        if (event.type !== "token") continue;
        controller.abort();
        client.close();
      }
    })();
    await assert.rejects(reading, { name: "AbortError" });
    const message = await outcome(answer.conversationId);
    assert.equal(message.status, "cancelled");
    assert.ok(words(2000).startsWith(message.content));
  });

  test(`${transport}: aborted and closed before its run is known`, async () => {
    const client = connect({ transport });
    const conversationId = `closing-${transport}-${Date.now()}`;
    const controller = new AbortController();
    await client.chat.send(asking(1), { conversationId }); // there is a connection
    let asked = () => {};
    const sent = new Promise((resolve) => (asked = resolve));
    const answer = client.chat.stream(ENDLESS, { conversationId, signal: controller.signal });
    queueMicrotask(() => asked(undefined));
    await sent;
    const reading = answer.next();
    controller.abort();
    client.close();
    await assert.rejects(reading);
    const message = await outcome(conversationId);
    // It was stopped before it was sent, or as soon as the server knew it.
    assert.ok(message.content === words(1) || message.status === "cancelled", message.status);
  });

  test(`${transport}: stopped while it is cut off, then closed`, async () => {
    const network = await Network.to(SERVER);
    const client = connect({ url: network.url, transport, timers: undefined });
    const conversation = client.conversation();
    conversation.send(ENDLESS).catch(() => {});
    await new Promise((resolve) => conversation.on("event", ({ type }) => type === "token" && resolve(undefined)));
    network.cut();
    await new Promise((resolve) => client.on("connection", (status) => status === "reconnecting" && resolve(undefined)));
    conversation.cancel();
    client.close();
    assert.equal((await outcome(conversation.id)).status, "cancelled");
    await network.close();
  });
}
