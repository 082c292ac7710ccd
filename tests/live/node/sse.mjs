// Reads a stream with fetch and keeps the incomplete line of a chunk for the next one.
const { URL, API_KEY, MESSAGE } = process.env;
const started = performance.now();
const report = { text: "", types: [], chunks: 0 };

const response = await fetch(`${URL}/api/chat/stream`, {
  method: "POST",
  headers: { Authorization: `Bearer ${API_KEY}`, "Content-Type": "application/json" },
  body: JSON.stringify({ messages: [{ role: "user", content: MESSAGE }] }),
});
report.headers = Object.fromEntries(response.headers);

const reader = response.body.getReader();
const decoder = new TextDecoder();
let buffer = "";
for (;;) {
  const { done, value } = await reader.read();
  if (done) break;
  report.chunks += 1;
  buffer += decoder.decode(value, { stream: true });
  const lines = buffer.split("\n");
  buffer = lines.pop();
  for (const line of lines) {
    if (!line.startsWith("data: ")) continue;
    const event = JSON.parse(line.slice(6));
    report.types.push(event.type);
    if (event.type === "token") {
      report.ttft ??= performance.now() - started;
      report.text += event.content;
    }
    if (event.type === "message_complete") report.complete = event;
  }
}
report.total = performance.now() - started;
console.log(JSON.stringify(report));
