// A chat client: authenticate in the first message, ask, switch on the type, answer pings.
import WebSocket from "ws";

const { WS_URL, API_KEY, MESSAGE, CONVERSATION } = process.env;
const report = { text: "", types: [], pings: 0 };

const socket = new WebSocket(WS_URL);
const send = (frame) => socket.send(JSON.stringify(frame));
const finished = () => report.done && report.pings > 0;

socket.addEventListener("open", () => send({ type: "auth", token: API_KEY }));

socket.addEventListener("message", ({ data }) => {
  const event = JSON.parse(data);
  if (event.type !== "ping") report.types.push(event.type);
  switch (event.type) {
    case "auth_ok":
      report.auth = event;
      send({ type: "message", content: MESSAGE, conversationId: CONVERSATION });
      break;
    case "token":
      report.text += event.content;
      break;
    case "message_complete":
      report.complete = event;
      break;
    case "ping":
      report.pings += 1;
      send({ type: "pong" });
      break;
    case "error":
      report.error = event;
      break;
    case "done":
      report.done = event;
      break;
  }
  if (finished()) send({ type: "ping" }); // still there after our pong?
  if (event.type === "pong") socket.close();
});

socket.addEventListener("close", ({ code }) => console.log(JSON.stringify({ ...report, code })));
