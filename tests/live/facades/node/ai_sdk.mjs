// A chat of the AI SDK, by the version that PACKAGE names. Its transport checks every chunk.
import assert from "node:assert/strict";

const { PACKAGE, URL: address, API_KEY, MESSAGE, CHAT, SCENARIO } = process.env;
const { DefaultChatTransport, readUIMessageStream } = await import(PACKAGE);

const TOOL = {
  name: "get_weather",
  description: "The weather of a city.",
  inputSchema: { type: "object", properties: { city: { type: "string" } } },
};
const headers = { Authorization: `Bearer ${API_KEY}` };
const transport = new DefaultChatTransport({ api: `${address}/api/ai-sdk/chat`, headers });
const user = { id: "user-1", role: "user", parts: [{ type: "text", text: MESSAGE }] };
const report = { types: [], statuses: [] };

/** Sends a chat's messages; the chunks of the answer. */
function send(messages, { body, signal, trigger = "submit-message", messageId } = {}) {
  return transport.sendMessages({
    chatId: CHAT,
    messages,
    trigger,
    messageId,
    abortSignal: signal,
    body: { model: "acme-agent", ...body },
  });
}

/** The message that the chunks add up to; `each` sees it as it grows. */
async function read(stream, { message, each } = {}) {
  const seen = stream.pipeThrough(
    new TransformStream({
      transform(chunk, controller) {
        report.types.push(chunk.type);
        controller.enqueue(chunk);
      },
    }),
  );
  let latest = message;
  const onError = (error) => (report.error = error.message);
  for await (const state of readUIMessageStream({ stream: seen, message, onError })) {
    latest = structuredClone(state);
    if (await each?.(latest)) break;
  }
  return latest;
}

const textOf = (message) =>
  message.parts.map((part) => (part.type === "text" ? part.text : "")).join("");

/** Reads the beginning of an answer, then leaves without a word. */
async function leave() {
  const controller = new AbortController();
  const stream = await send([user], { signal: controller.signal });
  const started = await read(stream, { each: (message) => textOf(message).length > 10 });
  controller.abort();
  return started;
}

function stop() {
  return fetch(`${address}/api/ai-sdk/chat/${CHAT}/stop`, { method: "POST", headers });
}

const scenarios = {
  async ask() {
    report.message = await read(await send([user]));
  },
  async resume() {
    const started = await leave();
    report.begun = textOf(started);
    report.message = await read(await transport.reconnectToStream({ chatId: CHAT }));
    assert.equal(report.message.id, started.id);
    report.after = await transport.reconnectToStream({ chatId: CHAT });
  },
  async stop() {
    await leave();
    const stream = await transport.reconnectToStream({ chatId: CHAT });
    let told = false;
    report.message = await read(stream, {
      async each(message) {
        if (told || textOf(message).length < 20) return;
        told = true;
        report.statuses.push((await stop()).status);
      },
    });
    report.statuses.push((await stop()).status);
    report.after = await transport.reconnectToStream({ chatId: CHAT });
  },
  async tools() {
    const body = { tools: [TOOL] };
    const asked = await read(await send([user], { body }));
    report.asked = asked;
    const parts = asked.parts.map((part) =>
      part.state === "input-available"
        ? { ...part, state: "output-available", output: { degrees: 20 } }
        : part,
    );
    const answered = { ...asked, parts };
    const stream = await send([user, answered], { body });
    report.message = await read(stream, { message: structuredClone(answered) });
  },
  async regenerate() {
    const first = await read(await send([user]));
    const trigger = "regenerate-message";
    report.first = first.id;
    report.message = await read(await send([user], { trigger, messageId: first.id }));
  },
  async refused() {
    const parts = [{ type: "file", mediaType: "image/png", url: "https://example.com/a.png" }];
    await send([{ ...user, parts }]).catch((error) => (report.error = error.message));
  },
};

await scenarios[SCENARIO]();
console.log(JSON.stringify(report));
