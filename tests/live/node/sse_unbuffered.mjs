// The simplest reader: each chunk is split on its own. It works because an event is one write.
const { URL, API_KEY, MESSAGE } = process.env;
let text = "";

const response = await fetch(`${URL}/api/chat/stream`, {
  method: "POST",
  headers: { Authorization: `Bearer ${API_KEY}`, "Content-Type": "application/json" },
  body: JSON.stringify({ message: MESSAGE }),
});

const reader = response.body.getReader();
const decoder = new TextDecoder();
for (;;) {
  const { done, value } = await reader.read();
  if (done) break;
  for (const line of decoder.decode(value, { stream: true }).split("\n")) {
    if (!line.startsWith("data: ")) continue;
    const event = JSON.parse(line.slice(6));
    if (event.type === "token") text += event.content;
  }
}
console.log(JSON.stringify({ text }));
