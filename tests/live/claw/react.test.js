// The hook in a real React, against a real server.
import assert from "node:assert/strict";
import { register } from "node:module";
import test from "node:test";
import { createElement as h, StrictMode } from "react";
import { create } from "react-test-renderer";
import { MANAGER_KEY, SERVER, asking, connect, words } from "./setup.js";
import { Network } from "./network.js";

// The page says what "react" is; here it is the one of these tests.
const here = JSON.stringify(import.meta.url);
const hooks = `export const resolve = (name, context, next) =>
  next(name, name === "react" ? { ...context, parentURL: ${here} } : context);`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
const { ClawContext, useStreamingChat } = await import("../../../static/claw/react.js");

let frames = 0;
globalThis.requestAnimationFrame = (run) => setTimeout(() => run((frames += 1)), 16);
globalThis.cancelAnimationFrame = clearTimeout;

/** Render a chat; `until(is)` waits for a state. */
function mount(client, { agentId, strict = false, ...options } = {}) {
  const mounted = { states: [], waiting: new Set() };
  function Chat() {
    const state = useStreamingChat(agentId, options);
    mounted.states.push(state);
    for (const check of [...mounted.waiting]) queueMicrotask(check);
    return state.messages.map(({ id, role, content }) => h(role, { key: id }, content));
  }
  mounted.until = (is) =>
    new Promise((resolve) => {
      const check = () => {
        if (!mounted.states.length || !is(mounted.now())) return;
        mounted.waiting.delete(check);
        resolve(mounted.now());
      };
      mounted.waiting.add(check);
      check();
    });
  mounted.now = () => mounted.states.at(-1);
  const chat = h(ClawContext.Provider, { value: client }, h(Chat));
  mounted.tree = create(strict ? h(StrictMode, null, chat) : chat, { unstable_isConcurrent: true });
  mounted.texts = () => [mounted.tree.toJSON()].flat().map(({ type, children }) => [type, children?.[0] ?? ""]);
  return mounted;
}

for (const strict of [false, true]) {
  test(`it works${strict ? " in strict mode" : ""}`, async () => {
    const client = connect();
    const chat = mount(client, { strict });
    const { send } = await chat.until(({ send }) => send);
    const message = asking(100, "delay=3");
    const answer = send(message);
    const shown = await chat.until(({ messages }) => messages.length);
    assert.deepEqual([shown.messages[0].content, shown.isStreaming], [message, true]);
    await answer;
    const { messages, ttft, tokensPerSecond } = await chat.until(({ isStreaming, messages }) => !isStreaming && messages.length);
    assert.deepEqual(messages.map(({ content }) => content), [message, words(100)]);
    assert.deepEqual(chat.texts(), [["user", message], ["assistant", words(100)]]);
    assert.ok(ttft > 0 && tokensPerSecond > 0);
    assert.equal(messages[0], chat.states.findLast((state) => state.messages[1]?.streaming).messages[0]);
    if (!strict) assert.ok(chat.states.length <= frames + 1, `${chat.states.length} renders in ${frames} frames`);
    chat.tree.unmount();
    client.close();
  });
}

test("what the agent needs is in the state, and is answered", async () => {
  const url = new URL(SERVER).origin;
  const client = connect({ url, token: MANAGER_KEY });
  const agent = await client.agents.create({ name: "Asks", provider: "anthropic", tools: [{ builtin: "ask_user" }] });
  const chat = mount(client, { agentId: agent.slug });
  const { send } = await chat.until(({ send }) => send);
  const input = Buffer.from(JSON.stringify({ text: "Which?" })).toString("base64");
  const sent = send(asking(2, `mode=tool tools=2 input=${input}`));
  const { pending, answer, decline } = await chat.until(({ pending }) => pending.length === 2);
  assert.deepEqual(pending.map(({ kind, text }) => [kind, text]), Array(2).fill(["question", "Which?"]));
  await Promise.all([answer(pending[0].id, "Red"), decline(pending[1].id)]);
  const { tools } = await sent;
  assert.deepEqual([tools[0].result, tools[1].isError], ["Red", true]);
  await chat.until(({ pending }) => !pending.length);
  chat.tree.unmount();
  client.close();
});

test("a stop is a stop, and the next question goes on", async () => {
  const client = connect();
  const chat = mount(client);
  const { send, cancel } = await chat.until(({ send }) => send);
  const sent = send(asking(40, "mode=stall at=5"));
  await chat.until(({ messages }) => messages[1]?.content === words(5));
  cancel();
  assert.equal((await sent).status, "cancelled");
  await chat.until(({ isStreaming }) => !isStreaming);
  await send(asking(3));
  const { messages } = await chat.until(({ isStreaming, messages }) => !isStreaming && messages.length === 4);
  assert.equal(messages[3].content, words(3));
  chat.tree.unmount();
  client.close();
});

test("tool calls are told once, to the handler of the latest render", async () => {
  const client = connect();
  const calls = [];
  const chat = mount(client, { onToolCall: (call) => calls.push(call) });
  const { send } = await chat.until(({ send }) => send);
  await send(asking(3, "mode=tool tool=weather pre=2"));
  assert.ok(calls.length >= 1);
  assert.equal(new Set(calls.map(({ id }) => id)).size, calls.length);
  assert.deepEqual([calls[0].name, typeof calls[0].arguments], ["weather", "object"]);
  chat.tree.unmount();
  client.close();
});

test("a component that is gone hears nothing more; another one finds the conversation again", async () => {
  const network = await Network.to(SERVER);
  const client = connect({ url: network.url });
  const first = mount(client);
  const { send } = await first.until(({ send }) => send);
  void send(asking(100, "delay=5"));
  const { conversationId } = await first.until(({ messages }) => messages[1]?.content.length > 20);
  first.tree.unmount();
  const renders = first.states.length;
  network.cut();
  const second = mount(client, { conversationId });
  const { messages } = await second.until(({ messages }) => messages[1]?.status === "completed");
  assert.deepEqual(messages.map(({ content }) => content), [asking(100, "delay=5"), words(100)]);
  assert.equal(first.states.length, renders);
  second.tree.unmount();
  client.close();
  await network.close();
});

test("ids stay; a message is replaced, the page before is loaded, and a new conversation begins", async () => {
  const client = connect();
  const chat = mount(client);
  const { send } = await chat.until(({ send }) => send);
  await send(asking(2));
  const { messages } = await chat.until(({ isStreaming, messages }) => !isStreaming && messages.length === 2);
  const ids = messages.map(({ id }) => id);
  assert.ok(chat.states.every((state) => state.messages.every(({ id }, i) => id === ids[i])));
  await send(asking(4), { replaces: ids[0] });
  const edited = await chat.until(({ isStreaming, messages }) => !isStreaming && messages[1]?.content === words(4));
  assert.equal(edited.messages.length, 2);
  await send(asking(1));
  chat.tree.unmount();

  const short = (url, options) => fetch(url.replace("limit=50", "limit=2"), options); // pages of two messages
  const reader = connect({ fetch: short });
  const again = mount(reader, { conversationId: edited.conversationId });
  const { loadOlder, newConversation } = await again.until(({ hasOlder, isLoading }) => hasOlder && !isLoading);
  await loadOlder();
  const all = await again.until(({ hasOlder }) => !hasOlder);
  assert.equal(all.messages.length, 4);
  newConversation();
  const fresh = await again.until(({ messages }) => !messages.length);
  assert.equal(fresh.conversationId, null);
  again.tree.unmount();
  reader.close();
  client.close();
});

test("what went wrong is there until something is said again", async () => {
  const client = connect();
  const chat = mount(client);
  const { send } = await chat.until(({ send }) => send);
  const refused = await send("x".repeat(200_000));
  assert.equal(refused.status, "failed");
  const { error, messages } = await chat.until(({ error }) => error);
  assert.equal(error.code, "message_too_large");
  void send("Shorter [[upstream tokens=1]]", { replaces: messages[0].id });
  const now = await chat.until(({ error, isStreaming, messages }) => !error && !isStreaming && messages.length === 2);
  assert.equal(now.messages[1].content, words(1));
  chat.tree.unmount();
  client.close();
});
