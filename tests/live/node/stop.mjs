// Stopping a stream: by aborting the request (the run then does what ON_DISCONNECT says), or with
// HOW=rest by the cancel address while the stream is being read to its end.
const { URL, API_KEY, MESSAGE, HOW, ON_DISCONNECT } = process.env;
const headers = { Authorization: `Bearer ${API_KEY}`, "Content-Type": "application/json" };
const controller = new AbortController();
const report = { text: "", types: [] };

function stop() {
  if (HOW === "rest") {
    return fetch(`${URL}/api/runs/${report.runId}/cancel`, { method: "POST", headers });
  }
  controller.abort();
}

try {
  const response = await fetch(`${URL}/api/chat/stream`, {
    method: "POST",
    headers,
    body: JSON.stringify({ message: MESSAGE, onDisconnect: ON_DISCONNECT }),
    signal: controller.signal,
  });
  let buffer = "";
  for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
    const lines = (buffer + text).split("\n");
    buffer = lines.pop();
    for (const line of lines) {
      if (!line.startsWith("data: ")) continue;
      const event = JSON.parse(line.slice(6));
      report.runId = event.runId;
      report.types.push(event.type);
      if (event.type === "token") report.text += event.content;
      if (event.type === "token" && event.index === 4) await stop();
    }
  }
} catch (error) {
  if (error.name !== "AbortError") throw error; // stopping is not an error
  report.aborted = true;
}
console.log(JSON.stringify(report));
