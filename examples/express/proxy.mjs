// A page asks this server, which has the API key, and gets the agent's event stream as it is made.
//
//   npm install express@5
//   AGENT_URL=http://127.0.0.1:8000/a/my-agent API_KEY=... node proxy.mjs
//
// What the page posts again with `Last-Event-ID` goes on where it was. Leaving stops no answer.
import { randomUUID } from "node:crypto";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import express from "express";

const { AGENT_URL, API_KEY, PORT = "3000" } = process.env;
const ASKED = ["last-event-id", "idempotency-key"];
const ANSWERED = ["content-type", "cache-control", "retry-after", "x-accel-buffering"];
const YEAR = 365 * 24 * 3600 * 1000;

const app = express();
app.use(express.json({ limit: "64kb" }));

app.post("/api/chat/stream", async (request, response) => {
  const left = new AbortController();
  response.on("close", () => left.abort());
  const headers = { Authorization: `Bearer ${API_KEY}`, "Content-Type": "application/json" };
  for (const name of ASKED) if (request.headers[name]) headers[name] = request.headers[name];
  // The key opens everybody's conversations, so a page says nothing about which one is meant.
  const body = JSON.stringify({ message: request.body?.message, conversationId: conversationOf(request, response) });
  try {
    const url = `${AGENT_URL}/api/chat/stream`;
    const answer = await fetch(url, { method: "POST", headers, body, signal: left.signal });
    response.status(answer.status);
    for (const name of ANSWERED) if (answer.headers.has(name)) response.setHeader(name, answer.headers.get(name));
    if (!answer.body) return response.end();
    await pipeline(Readable.fromWeb(answer.body), response); // waits for a page that reads slowly
  } catch (error) {
    if (left.signal.aborted) return;
    if (!response.headersSent) response.status(502).json({ error: { code: "unavailable", message: "Try again." } });
    response.destroy(error); // a stream without its end: the page comes back
  }
});

/** The conversation of this browser: a name that nobody guesses, in a cookie that no script reads. */
function conversationOf(request, response) {
  const known = /(?:^|;\s*)chat=([0-9a-f-]{36})/.exec(request.headers.cookie ?? "");
  const name = known ? known[1] : randomUUID();
  response.cookie("chat", name, { httpOnly: true, sameSite: "strict", maxAge: YEAR });
  return name;
}

const server = app.listen(Number(PORT), "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${server.address().port}`);
});
