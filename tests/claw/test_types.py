"""The declarations of static/claw: a strict TypeScript project compiles with them alone, and they
say what the modules are."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CLAW, MODULES = ROOT / "static" / "claw", ROOT / "tests" / "node_modules"
DECLARED = ("client.d.ts", "react.d.ts", "chat.d.ts")

pytestmark = pytest.mark.node

PROGRAM = """
import { ClawClient, ClawError, type LinkStatus, type Message, type StreamEvent } from "FROM";
import { ClawContext, useStreamingChat } from "REACT";

const client = new ClawClient({ url: "https://example.com/a/me", apiKey: "claw_live_x" });
client.on("token", ({ content, index }) => console.log(content.length + index));
client.on("connection", (status: LinkStatus) => status === "online");

export async function ask(signal: AbortSignal): Promise<string> {
  const events: StreamEvent[] = [];
  for await (const event of client.chat.stream("Hello", { signal })) {
    events.push(event);
    if (event.type === "message_complete") console.log(event.usage?.outputTokens, event.stopReason);
    if (event.type === "error") throw new ClawError(event.code, event.message);
  }
  const { content, usage } = await client.chat.send("me", [{ role: "user", content: "Hi" }]);
  return content + (usage?.cost ?? 0).toFixed(2);
}

export async function talk(): Promise<Message[]> {
  const conversation = client.conversation({ conversationId: null });
  conversation.on("change", (change) => change.kind === "append" && change.text.trim());
  await conversation.open();
  const answer: Message = await conversation.send("Hello");
  console.log(answer.status, conversation.isStreaming);
  const { messages, nextCursor } = await client.conversations.messages("c", { limit: 1 });
  return nextCursor === null ? messages : [];
}

export function useChat(): [string, () => void] {
  const { messages, send, cancel, isStreaming } = useStreamingChat("me", { client });
  void send("Hello").then(({ content }) => content.trim());
  return [isStreaming ? "" : messages.map(({ content }) => content).join(""), cancel];
}

// @ts-expect-error: there is no such option
new ClawClient({ url: "https://example.com", key: "x" });
// @ts-expect-error: an answer has no such event
client.on("tokens", () => {});
export const Provider = ClawContext.Provider;
"""

ELEMENT = """
import type { ClawChat, PageSettings } from "CHAT";

const chat: ClawChat = document.querySelector("claw-chat") ?? document.createElement("claw-chat");
const settings: PageSettings = {
  position: "left",
  followUps: ["And then?"],
  pageContext: ["title", "selection"],
  pageData: () => ({ sku: 4 }),
  texts: { placeholder: "Ask our shop" },
};
chat.settings = settings;
chat.identity = async () => (await fetch("/chat-token")).text();
chat.tools = [{ name: "add", call: ({ product }) => String(product) }];
chat.addEventListener("claw:tool", (event) => {
  event.detail.element.textContent = JSON.stringify(event.detail.tool.result);
  event.preventDefault();
});
document.addEventListener("claw:render", ({ detail: { message, element } }) => {
  if (message.content.length > 9) element.append(message.context?.title ?? "");
});
window.addEventListener("claw:rating", ({ detail }) => detail.rating.toFixed(0));
chat.addEventListener("keydown", () => {});
export const sent: boolean = chat.send("Hello", chat.messages[0]?.id);
export const shown: Promise<void> = chat.showBubble("Hello");

// @ts-expect-error: there is no such place
chat.settings = { position: "middle" };
// @ts-expect-error: it is told, not set
chat.messages = [];
// @ts-expect-error: this event has no such detail
document.addEventListener("claw:open", ({ detail }) => detail.text);
"""


def compiled(folder: Path, files: dict[str, str], **options: object) -> str:
    """What tsc has against these files, in a strict project; empty if nothing."""
    for name, text in files.items():
        (folder / name).write_text(text)
    settings = {
        "strict": True,
        "noEmit": True,
        "target": "es2022",
        "lib": ["es2023", "dom", "dom.iterable", "dom.asynciterable"],
        "types": [],
        "exactOptionalPropertyTypes": False,
        **options,
    }
    config = {"compilerOptions": settings, "files": list(files)}
    (folder / "tsconfig.json").write_text(json.dumps(config))
    tsc = [str(MODULES / ".bin" / "tsc"), "-p", str(folder)]
    done = subprocess.run(tsc, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project that has React's types, and the modules as a package that `npm` has linked."""
    packages = tmp_path / "node_modules"
    (packages / "@types").mkdir(parents=True)
    (packages / "@types" / "react").symlink_to(MODULES / "@types" / "react")
    if (MODULES / "csstype").exists():
        (packages / "csstype").symlink_to(MODULES / "csstype")
    shutil.copytree(CLAW, packages / "claw")
    (tmp_path / "package.json").write_text('{"type": "module"}')
    return tmp_path


@pytest.mark.parametrize(("module", "resolution"), [("esnext", "bundler"), ("node16", "node16")])
def test_it_works(project: Path, module: str, resolution: str) -> None:
    program = PROGRAM.replace("FROM", "claw").replace("REACT", "claw/react")
    assert compiled(project, {"main.ts": program}, module=module, moduleResolution=resolution) == ""


@pytest.mark.parametrize(("module", "resolution"), [("esnext", "bundler"), ("node16", "node16")])
def test_the_element_has_types(project: Path, module: str, resolution: str) -> None:
    """Attributes, properties, events and methods of docs/widget.md."""
    program = ELEMENT.replace("CHAT", "claw/chat.js")
    assert compiled(project, {"main.ts": program}, module=module, moduleResolution=resolution) == ""


def test_the_types_of_the_element_are_all_of_it() -> None:
    """Each setting is an attribute, each event of the element is declared, and none is made up."""
    declared = (CLAW / "chat.d.ts").read_text()
    attributes = declared[declared.index("interface ClawChatAttributes") :]
    names = set(re.findall(r'^  "?([a-z-]+)"?\?:', attributes, re.M))
    settings = (CLAW / "widget" / "settings.js").read_text()
    known = {word for words in re.findall(r'"([a-z -]+)"', settings) for word in words.split()}
    own = {"agent", "base", "mode", "open", "name", "greeting", "locale", "dir", "identity"}
    assert names == known | own
    told = {
        name
        for path in (CLAW / "widget").rglob("*.js")
        for name in re.findall(r'"(claw:[a-z]+)"', path.read_text())
    }
    assert set(re.findall(r'^  "(claw:[a-z]+)":', declared, re.M)) == told


def test_a_copy_beside_the_project_compiles_too(project: Path) -> None:
    shutil.copytree(CLAW, project / "claw")
    program = PROGRAM.replace("FROM", "./claw/client.js").replace("REACT", "./claw/react.js")
    options = {"module": "esnext", "moduleResolution": "bundler"}
    assert compiled(project, {"main.ts": program}, **options) == ""


def test_the_declarations_say_what_the_modules_are(project: Path) -> None:
    """The real modules, with the types of their comments, fit what is declared of them."""
    shutil.copytree(CLAW, project / "real")
    for name in DECLARED:
        (project / "real" / name).rename(project / "real" / f"declared-{name}")
    hook = project / "real" / "declared-react.d.ts"
    hook.write_text(hook.read_text().replace("./client.js", "./declared-client.js"))
    program = """
import * as client from "./real/client.js";
import * as react from "./real/react.js";
import * as chat from "./real/chat.js";
import type * as saidOfChat from "./real/declared-chat.js";
import type * as saidOfClient from "./real/declared-client.js";
import type * as saidOfReact from "./real/declared-react.js";

export const aClient: saidOfClient.ClawClient = new client.ClawClient({ url: "" });
export const anError: saidOfClient.ClawError = new client.ClawError("code", "message");
export const anElement: saidOfChat.ClawChat = new chat.ClawChat();
export const aSource: saidOfClient.ReconnectingEventSource = new client.ReconnectingEventSource("");
type Declared = ReturnType<typeof saidOfReact.useStreamingChat>;
export const state = (said: ReturnType<typeof react.useStreamingChat>): Declared => said;
"""
    options = {"module": "esnext", "moduleResolution": "bundler", "allowJs": True, "checkJs": False}
    assert compiled(project, {"main.ts": program}, **options) == ""
