// The chat beside an agent's instructions: it asks as the member who looks at the page.
import { SseParser } from "../claw/client/link/sse.js";
import { saved } from "./draft.js";

const chat = document.querySelector("[data-chat]");
const form = chat.querySelector("form");
const log = chat.querySelector(".log");
let conversationId;

form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const message = form.message.value.trim();
  if (!message) return;
  form.reset();
  say("user", message);
  form.querySelector("button").disabled = true;
  log.ariaBusy = "true";
  const answer = say("assistant", "");
  try {
    await saved();
    await stream(message, answer);
  } catch (problem) {
    answer.classList.add("failed");
    answer.textContent = problem.message;
  }
  log.ariaBusy = "false";
  form.querySelector("button").disabled = false;
});

chat.querySelector("[data-new]")?.addEventListener("click", () => {
  conversationId = undefined;
  log.replaceChildren();
  form.message.focus();
});

async function stream(message, answer) {
  const response = await fetch(chat.dataset.chat, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Claw-Organization": chat.dataset.organization },
    body: JSON.stringify({ message, conversationId, agentVersion: "draft" }),
  });
  if (!response.ok) throw new Error((await response.json()).error.message);
  const parser = new SseParser();
  const reader = response.body.getReader();
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    for (const { data } of parser.push(read.value)) show(JSON.parse(data), answer);
  }
}

function show(event, answer) {
  conversationId = event.conversationId ?? conversationId;
  if (event.type === "token") answer.textContent += event.content;
  else if (event.type === "error") throw new Error(event.message);
  log.scrollTop = log.scrollHeight;
}

function say(role, text) {
  const line = document.createElement("p");
  line.className = role;
  line.textContent = text;
  log.append(line);
  log.scrollTop = log.scrollHeight;
  return line;
}
