// A relay as one writes it with Express: a WebSocket (ws) and an SSE route in front of Claude.
//
//     node express.mjs PORT create|stream
import http from "node:http";
import Anthropic from "@anthropic-ai/sdk";
import express from "express";
import { WebSocketServer } from "ws";

const [port, way] = process.argv.slice(2);
const anthropic = new Anthropic();
const app = express();
app.use(express.json());

/** Calls `onText` with every piece of the answer. `signal` ends the request to the model. */
async function answer(content, onText, signal) {
  const request = { model: "claude-sonnet-5-5", max_tokens: 1024, messages: [{ role: "user", content }] };
  if (way === "stream") {
    const stream = anthropic.messages.stream(request, { signal });
    stream.on("text", onText);
    await stream.finalMessage();
    return;
  }
  const events = await anthropic.messages.create({ ...request, stream: true }, { signal });
  for await (const event of events) {
    if (event.type === "content_block_delta" && event.delta.type === "text_delta") onText(event.delta.text);
  }
}

app.get("/healthz", (request, response) => response.send("ok"));

app.post("/chat", async (request, response) => {
  const gone = new AbortController();
  response.on("close", () => gone.abort());
  response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-cache" });
  const send = (event) => response.write(`data: ${JSON.stringify(event)}\n\n`);
  try {
    await answer(request.body.message, (content) => send({ type: "token", content }), gone.signal);
    send({ type: "done" });
  } catch (error) {
    if (!gone.signal.aborted) send({ type: "error", message: String(error) });
  }
  response.end();
});

const server = http.createServer(app);
const sockets = new WebSocketServer({ server, path: "/ws" });

sockets.on("connection", (socket) => {
  const gone = new AbortController();
  socket.on("close", () => gone.abort());
  socket.on("error", () => gone.abort());
  socket.on("message", async (data) => {
    const send = (event) => socket.send(JSON.stringify(event));
    try {
      const { content } = JSON.parse(data);
      await answer(content, (text) => send({ type: "token", content: text }), gone.signal);
      send({ type: "done" });
    } catch (error) {
      if (!gone.signal.aborted) send({ type: "error", message: String(error) });
    }
  });
});

server.listen({ port: Number(port), host: "127.0.0.1", backlog: 4096 });
