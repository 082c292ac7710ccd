// A network that breaks: nothing is lost, nothing comes twice, the digest is right.
import assert from "node:assert/strict";
import test from "node:test";
import { FULL, SERVER, TRANSPORTS, Timers, asking, connect, pooled, read, words } from "./setup.js";
import { Network } from "./network.js";

const TOKENS = 200;

for (const transport of TRANSPORTS) {
  test(`${transport}: every drop point of an answer`, async () => {
    const step = FULL ? 1 : 8;
    const points = Array.from({ length: TOKENS / step }, (_, i) => i * step);
    await pooled(points, 10, async (point) => {
      const network = await Network.to(SERVER);
      const client = connect({ url: network.url, transport });
      const answer = client.chat.stream(asking(TOKENS, "delay=2"));
      let cut = false;
      const { text } = await read(answer, ({ index, count = 1 }) => {
        if (cut || index + count <= point) return;
        cut = true;
        network.cut();
      });
      assert.equal(text, words(TOKENS), `dropped at ${point}`);
      assert.equal(network.cuts, 1);
      client.close();
      await network.close();
    });
  });

  test(`${transport}: a conversation is told every text once`, async () => {
    const network = await Network.to(SERVER);
    const client = connect({ url: network.url, transport });
    const conversation = client.conversation();
    let text = "";
    conversation.on("change", (change) => {
      if (change.kind === "append") text += change.text;
      if (change.kind === "append" && change.message.content.length % 11 === 0) network.cut();
    });
    const answer = await conversation.send(asking(TOKENS, "delay=2"));
    assert.equal(answer.content, words(TOKENS));
    assert.equal(text, words(TOKENS));
    assert.equal(conversation.messages.length, 2);
    client.close();
    await network.close();
  });
}

test("random disconnects and switches of transport", async () => {
  const wanted = FULL ? 1000 : 60;
  let [cuts, switches] = [0, 0];
  await pooled([...Array(8).keys()], 8, async () => {
    while (cuts < wanted) {
      const network = await Network.to(SERVER);
      const timers = new Timers();
      timers.now = () => performance.now() * 1000; // WebSockets are soon tried again
      const client = connect({ url: network.url, timers });
      const used = [];
      client.on("connection", (status) => status === "online" && used.push(client.transport));
      network.limit = () => {
        network.upgrades = Math.random() < 0.5;
        network.down = Math.random() < 0.1;
        if (network.down) setTimeout(() => (network.down = false), 5);
        return 50 + Math.random() * 8000;
      };
      await read(client.chat.stream(asking(TOKENS, "delay=1 content=unicode")));
      cuts += network.cuts;
      switches += used.filter((kind, i) => i && kind !== used[i - 1]).length;
      client.close();
      await network.close();
    }
  });
  assert.ok(switches > 0);
  console.log(`${cuts} disconnects, ${switches} switches`);
});
