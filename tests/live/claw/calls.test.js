// What an agent needs of the one that asks: tools that are carried out here, and answers.
import assert from "node:assert/strict";
import test from "node:test";
import { MANAGER_KEY, SERVER, TRANSPORTS, asking, connect, read } from "./setup.js";

const url = new URL(SERVER).origin;
const given = (args) => Buffer.from(JSON.stringify(args)).toString("base64");
const adding = (call, more = {}) => ({
  name: "add",
  description: "Adds two numbers.",
  inputSchema: { type: "object", properties: { a: { type: "number" }, b: { type: "number" } } },
  call,
  ...more,
});

for (const transport of TRANSPORTS) {
  test(`${transport}: a tool of this program is carried out by itself`, async () => {
    const heard = [];
    const tools = [adding(({ a, b }, { id, runId }) => heard.push([id, runId]) && a + b)];
    const client = connect({ transport, tools });
    const how = `mode=tool tools=3 tool=add input=${given({ a: 2, b: 3 })}`;
    const { events } = await read(client.chat.stream(asking(2, how)));
    const results = events.filter(({ type }) => type === "tool_result");
    assert.deepEqual(results.map(({ result, isError, client }) => [result, isError, client]), Array(3).fill([5, false, true]));
    assert.deepEqual(heard.map(([id]) => id).sort(), results.map(({ id }) => id).sort());
    assert.ok(heard.every(([, runId]) => runId === events[0].runId));
    client.close();
  });

  test(`${transport}: in a live conversation, where the tool fails`, async () => {
    const client = connect({ transport, tools: [adding(() => { throw new Error("Out of paper."); })] });
    const conversation = client.conversation();
    const answer = await conversation.send(asking(2, "mode=tool tool=add"));
    assert.deepEqual([answer.status, answer.tools[0].result, answer.tools[0].isError], ["completed", "Out of paper.", true]);
    client.close();
  });

  test(`${transport}: a question is answered, another is declined`, async () => {
    const client = connect({ url, token: MANAGER_KEY, transport });
    const agent = await client.agents.create({ name: "Asking", provider: "anthropic", tools: [{ builtin: "ask_user" }] });
    const conversation = client.conversation({ agentId: agent.slug });
    const two = new Promise((resolve) => conversation.on("change", () => conversation.pending.length === 2 && resolve()));
    const input = given({ text: "Which size?", choices: ["Small", "Large"] });
    const sent = conversation.send(asking(2, `mode=tool tools=2 input=${input}`));
    await two;
    const [first, second] = conversation.pending;
    assert.deepEqual([first.kind, first.text, first.choices], ["question", "Which size?", ["Small", "Large"]]);
    await assert.rejects(conversation.answer(first.id, "Medium"), { code: "invalid_message" });
    await conversation.answer(first.id, "Large");
    await conversation.decline(second.id);
    const { tools, status } = await sent;
    assert.deepEqual([status, tools[0].result, tools[1].isError], ["completed", "Large", true]);
    assert.deepEqual(conversation.pending, []);
    await assert.rejects(conversation.answer(first.id, "Small"), { code: "already_decided" });
    client.close();
  });
}
