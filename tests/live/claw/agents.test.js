// Several agents of one key, and the ways in which tutorials use such a client.
import assert from "node:assert/strict";
import test from "node:test";
import { MANAGER_KEY, SERVER, TRANSPORTS, asking, connect, read, words } from "./setup.js";

const url = new URL(SERVER).origin;

for (const transport of TRANSPORTS) {
  test(`${transport}: an agent is made, asked and streamed from`, async () => {
    const claw = connect({ url, token: MANAGER_KEY, transport });
    const agent = await claw.agents.create({
      name: "Streaming Demo Agent",
      instructions: "You are a helpful assistant. Give detailed, thoughtful responses.",
      model: "claude-sonnet-5-5",
    });
    const messages = [{ role: "user", content: asking(20) }];
    const response = await claw.chat.send(agent.id, messages);
    assert.equal(response.content, words(20));

    let text = "";
    let ttft = null;
    const start = performance.now();
    for await (const chunk of claw.chat.stream(agent.id, messages, { tools: true })) {
      if (chunk.type === "token") {
        ttft ??= performance.now() - start;
        text += chunk.content;
      }
      if (chunk.type === "done") {
        assert.ok(chunk.metrics.ttft <= Math.ceil(ttft)); // the event came before it was read
        assert.ok(chunk.metrics.tokensPerSecond > 0);
      }
    }
    assert.equal(text, words(20));
    claw.close();
  });

  test(`${transport}: agents do not mix`, async () => {
    const claw = connect({ url, token: MANAGER_KEY, transport });
    const [one, two] = await Promise.all(["One", "Two"].map((name) => claw.agents.create({ name })));
    const [first, second] = await Promise.all([
      read(claw.chat.stream(one.id, asking(20, "delay=3"))),
      read(claw.chat.stream(two.id, asking(20, "delay=3 content=tagged tag=two"))),
    ]);
    assert.deepEqual([first.events[0].agentId, second.events[0].agentId], [one.id, two.id]);
    assert.equal(first.text, words(20));
    assert.ok(second.text.startsWith("two:0 two:1 "));
    const conversation = claw.conversation({ agentId: one.slug });
    assert.equal((await conversation.send(asking(3))).content, words(3));
    claw.close();
  });

  test(`${transport}: a conversation is streamed under the names of its route`, async () => {
    const client = connect({ transport });
    const stream = await client.conversations.sendMessageStream({
      conversationId: `conv-${transport}-123`,
      content: asking(5),
    });
    let [text, total] = ["", 0];
    for await (const event of stream) {
      if (event.type === "token") text += event.token;
      else if (event.type === "done") total = event.usage.total;
    }
    assert.equal(text, words(5));
    assert.ok(total > 5);
    client.close();
  });

  test(`${transport}: handlers are chained, and a stop is a call`, async () => {
    const client = connect({ transport });
    const heard = [];
    const ended = new Promise((resolve) => {
      client
        .on("token", ({ index }) => index === 4 && client.cancel())
        .on("cancelled", ({ content }) => heard.push(content))
        .on("done", resolve);
    });
    client.conversation().send(asking(40, "mode=stall at=5"));
    assert.equal((await ended).reason, "cancelled");
    assert.deepEqual(heard, [words(5)]);
    client.close();
  });
}

test("conversations are made, listed, renamed and deleted; who follows one is told", async () => {
  const client = connect();
  const { id } = await client.conversations.create({ title: "Mine" });
  assert.equal((await client.conversations.rename(id, "Ours")).title, "Ours");
  assert.equal((await client.conversations.get(id)).title, "Ours");
  const conversation = client.conversation({ conversationId: id });
  await conversation.open();
  const told = new Promise((resolve) => conversation.on("error", resolve));
  await client.conversations.delete(id);
  assert.equal((await told).code, "conversation_not_found");
  const { conversations } = await client.conversations.list();
  assert.ok(!conversations.some((each) => each.id === id));
  client.close();
});
