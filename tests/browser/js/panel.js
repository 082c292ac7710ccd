// A panel without a server: `talk` is a conversation whose events the test makes.
import { strings } from "/static/claw/widget/locales/strings.js";
import { Panel } from "/static/claw/widget/panel/panel.js";
import { Settings } from "/static/claw/widget/settings.js";
import { sheet } from "/static/claw/widget/styles/sheet.js";
import { colour } from "/static/claw/widget/markdown/code.js";

let ids = 0;
const common = { usage: null, stopReason: null, error: null, tools: [], sources: [], runId: "run_1" };

class Talk {
  messages = [];
  status = "online";
  isStreaming = false;
  isLoading = false;
  /** What was decided, and the code of the error that the next decision ends with. */
  decisions = [];
  refusal = "";

  async approve(...decision) {
    this.decisions.push(decision);
    if (this.refusal) throw Object.assign(new Error(), { code: this.refusal });
  }

  answer = this.approve;
  decline = this.approve;

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
    panel.notices.event({ type: "done" }, this.messages);
    this.change({ status: "completed", streaming: false, ...fields });
  }

  reply(content, fields = {}) {
    this.begin();
    this.token(content);
    this.end(fields);
  }
}

const parameters = new URLSearchParams(location.search);
const texts = await strings(parameters.get("locale") ?? "en");
const host = document.querySelector("#host");
const root = host.attachShadow({ mode: "open" });
root.adoptedStyleSheets = [await sheet("chat")];
const panel = new Panel(texts, {
  draft: "",
  name: "Helper",
  greeting: null,
  settings: new Settings(host),
  floating: false,
  onSend: (text) => sent.push(text),
  onDraft: () => {},
  onCode: colour,
});
const sent = [];
const frame = document.createElement("div");
frame.className = "chat";
frame.append(panel.launcher.element, panel.element);
root.append(frame);
panel.introduce({ name: "Helper", greeting: "", prompts: ["What can you do?", "Show me some code"] });
panel.start();
const talk = new Talk();
panel.show(talk);
Object.assign(window, { panel, talk, root, sent, texts });
