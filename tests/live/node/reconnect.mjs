// A client that comes back: exponential backoff, reset on success, resume after the last event.
import { createHash } from "node:crypto";
import WebSocket from "ws";

const { WS_URL, API_KEY, MESSAGE } = process.env;
const FIRST_DELAY = 100;
const MAX_DELAY = 30_000;
const report = { text: "", connections: 0, indexes: [] };

let delay = FIRST_DELAY;
let runId = null;
let lastSeq = 0;

function connect() {
  report.connections += 1;
  const socket = new WebSocket(WS_URL);
  const send = (frame) => socket.send(JSON.stringify(frame));
  socket.addEventListener("open", () => send({ type: "auth", token: API_KEY }));
  socket.addEventListener("error", () => {}); // a close follows
  socket.addEventListener("message", ({ data }) => receive(JSON.parse(data), send, socket));
  socket.addEventListener("close", () => {
    if (report.done) return console.log(JSON.stringify(report));
    setTimeout(connect, delay);
    delay = Math.min(delay * 2, MAX_DELAY);
  });
}

function receive(event, send, socket) {
  if (event.type === "auth_ok") {
    delay = FIRST_DELAY;
    if (runId) send({ type: "resume", runId, lastSeq });
    else send({ type: "message", content: MESSAGE, clientMessageId: "reconnect-1" });
  }
  if (!event.seq || event.seq <= lastSeq) return;
  ({ runId, seq: lastSeq } = event);
  if (event.type === "token") {
    report.text += event.content;
    report.indexes.push(event.index);
  }
  if (event.type === "done") {
    report.done = event;
    report.digest = "sha256:" + createHash("sha256").update(report.text).digest("hex");
    socket.close();
  }
}

connect();
