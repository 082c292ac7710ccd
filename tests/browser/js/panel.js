// A panel without a server: `talk` is a conversation whose events the test makes.
import { strings } from "/static/claw/i18n.js";
import { Panel } from "/static/claw/panel.js";
import { sheet } from "/static/claw/styles.js";
import { colour } from "/static/claw/code.js";

let ids = 0;
const common = { usage: null, stopReason: null, error: null, tools: [], sources: [], runId: "run_1" };

class Talk {
  messages = [];
  status = "online";
  isStreaming = false;

  say(content, fields = {}) {
    const message = { ...common, id: `msg_${++ids}`, role: "user", status: "completed", content, ...fields };
    this.messages.push(message);
    panel.apply({ kind: "message", message });
    return message;
  }

  begin(fields = {}) {
    this.isStreaming = true;
    return this.say("", { role: "assistant", status: "streaming", streaming: true, ...fields });
  }

  token(text) {
    const message = this.messages.at(-1);
    message.content += text;
    panel.apply({ kind: "append", message, text });
  }

  change(fields) {
    const message = this.messages.at(-1);
    Object.assign(message, fields);
    panel.apply({ kind: "message", message });
  }

  end(fields = {}) {
    this.isStreaming = false;
    panel.event({ type: "done" });
    this.change({ status: "completed", streaming: false, ...fields });
  }

  answer(content, fields = {}) {
    this.begin();
    this.token(content);
    this.end(fields);
  }
}

const parameters = new URLSearchParams(location.search);
const texts = await strings(parameters.get("locale") ?? "en");
const host = document.querySelector("#host");
const root = host.attachShadow({ mode: "open" });
root.adoptedStyleSheets = [await sheet()];
const panel = new Panel(texts, {
  draft: "",
  title: "Helper",
  greeting: null,
  onSend: (text) => sent.push(text),
  onDraft: () => {},
  onCode: colour,
});
const sent = [];
const frame = document.createElement("div");
frame.className = "chat";
frame.append(panel.launcher, panel.element);
root.append(frame);
panel.introduce({ name: "Helper", greeting: "", prompts: ["What can you do?", "Show me some code"] }, null);
panel.start();
const talk = new Talk();
panel.show(talk);
Object.assign(window, { panel, talk, root, sent, texts });
