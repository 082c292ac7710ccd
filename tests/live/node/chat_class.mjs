// A small wrapper with a method for each thing a user does. The caller's own history is sent each
// time, and `cancel` goes over the connection that the tokens come from.
import WebSocket from "ws";

const { WS_URL, API_KEY, AGENT, MESSAGE, STALLING } = process.env;

class AgentChat {
  #handlers = new Map();
  #socket;

  constructor(url, key) {
    this.#socket = new WebSocket(url, { headers: { Authorization: `Bearer ${key}` } });
    this.#socket.onmessage = ({ data }) => {
      const event = JSON.parse(data);
      this.#handlers.get(event.type)?.(event);
    };
  }

  on(type, handler) {
    this.#handlers.set(type, handler);
    return this;
  }

  send(agentId, messages) {
    this.#send({ type: "chat", agentId, messages });
  }

  cancel() {
    this.#send({ type: "cancel" });
  }

  close() {
    this.#socket.close();
  }

  #send(frame) {
    this.#socket.send(JSON.stringify(frame));
  }
}

const chat = new AgentChat(WS_URL, API_KEY);
const runs = [{ text: "" }];
const now = () => runs.at(-1);

chat
  .on("auth_ok", () => chat.send(AGENT, [{ role: "user", content: STALLING }]))
  .on("token", ({ content, index }) => {
    now().text += content;
    if (runs.length === 1 && index === 4) chat.cancel(); // the model is silent from here on
  })
  .on("cancelled", (event) => (now().cancelled = event))
  .on("error", (event) => (now().error = event))
  .on("done", ({ reason, metrics }) => {
    Object.assign(now(), { reason, metrics });
    if (runs.length === 2) {
      console.log(JSON.stringify(runs));
      return chat.close();
    }
    const { text } = now();
    runs.push({ text: "" });
    chat.send(AGENT, [
      { role: "user", content: STALLING },
      { role: "assistant", content: text },
      { role: "user", content: MESSAGE },
    ]);
  });
