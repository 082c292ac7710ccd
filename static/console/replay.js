// A run at its own pace: the events of the API in a table, a position that moves through them, and
// the answer as it stood there.
const page = document.querySelector("[data-replay]");
const part = (name) => page.querySelector(`[data-${name}]`);
const events = [];
let began = 0;
let position = 0;
let timer;

async function read(address) {
  const headers = { "X-Claw-Organization": page.dataset.organization };
  const response = await fetch(`${page.dataset.replay}/${address}`, { headers });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error.message);
  return answer;
}

async function load(after) {
  try {
    const answer = await read(`replay?after=${after}`);
    if (!after) begin(answer);
    const first = events.length;
    events.push(...answer.events);
    part("events").append(...answer.events.map((each, n) => row(each, first + n)));
    part("more").hidden = answer.nextCursor === null;
    part("more").onclick = () => load(answer.nextCursor);
    part("position").max = String(events.length - 1);
    show(after ? position : events.length - 1);
  } catch (problem) {
    part("problem").textContent = problem.message;
    part("problem").hidden = false;
  }
  part("loading").hidden = true;
}

function begin(answer) {
  began = Date.parse(answer.events.find((each) => each.at)?.at);
  part("calls").append(...answer.calls.map(call));
  part("gaps").append(...answer.longestGaps.slice(0, 5).map(gap));
  for (const name of ["player", "events", "calls", "gaps"]) {
    const filled = name === "calls" ? answer.calls.length : name !== "gaps" || answer.longestGaps.length;
    page.querySelector(`[data-part=${name}]`).hidden = !filled;
  }
}

function element(name, text, kind) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

const seconds = (ms) => (ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`);
const time = (event) => (event.at ? seconds(Math.max(0, Date.parse(event.at) - began)) : "–");

function row(event, number) {
  const made = element("tr");
  const kind = element("td");
  kind.append(element("code", event.count ? `${event.type} × ${event.count}` : event.type));
  const gapped = event.gapMs === null ? "–" : `+${seconds(event.gapMs)}`;
  made.append(element("td", time(event), "number"), element("td", gapped, "number muted"));
  made.append(kind, element("td", content(event), "content"));
  made.onclick = () => show(number);
  return made;
}

const KNOWN = new Set(["type", "seq", "runId", "conversationId", "messageId"]);

function content(event) {
  if (event.type === "token" || event.type === "thinking") return event.event.content;
  const told = Object.entries(event.event).filter(([name]) => !KNOWN.has(name));
  const text = told.map(([name, value]) => `${name}: ${JSON.stringify(value)}`).join("\n");
  return text.length > 600 ? `${text.slice(0, 600)}…` : text;
}

function gap(wait) {
  const button = element("button", seconds(wait.gapMs));
  button.type = "button";
  button.title = `The wait before event ${wait.seq}`;
  button.onclick = () => {
    show(events.findIndex((each) => each.seq === wait.seq));
    current()?.scrollIntoView({ block: "center" });
  };
  return button;
}

function call(each) {
  const { usage } = each;
  const made = element("details");
  const cost = usage.cost === null ? "no price known" : `$${usage.cost.toPrecision(3)}`;
  const facts = [
    `${usage.inputTokens} tokens in`,
    `${usage.outputTokens} out`,
    cost,
    usage.ttftMs === undefined ? "" : `first output after ${seconds(usage.ttftMs)}`,
    seconds(usage.durationMs ?? 0),
    usage.source === "estimated" ? "estimated" : "",
  ];
  made.append(element("summary", `Call ${each.number}: ${facts.filter(Boolean).join(" · ")}`));
  made.addEventListener("toggle", async () => {
    const sent = element("pre", "Reading what was sent");
    sent.tabIndex = 0;
    made.append(sent);
    try {
      sent.textContent = asText(await read(`request?call=${each.number}`));
    } catch (problem) {
      sent.textContent = problem.message;
    }
  }, { once: true });
  return made;
}

function asText(sent) {
  const turns = sent.turns.map((turn) => {
    const blocks = turn.blocks.length ? `\n${JSON.stringify(turn.blocks, null, 2)}` : "";
    return `${turn.role}:\n${turn.content}${blocks}`;
  });
  return [`instructions:\n${sent.instructions}`, ...turns].join("\n\n");
}

const current = () => part("events").children[position];

function show(number) {
  current()?.removeAttribute("aria-current");
  position = number;
  current().setAttribute("aria-current", "true");
  [...part("events").children].forEach((each, n) => each.classList.toggle("ahead", n > number));
  part("position").value = String(number);
  part("time").textContent = `${time(events[number])} · ${number + 1} of ${events.length}`;
  const said = events.slice(0, number + 1).filter((each) => each.type === "token");
  part("text").textContent = said.map((each) => each.event.content).join("");
}

function stop() {
  clearTimeout(timer);
  timer = undefined;
  part("play").textContent = "Play";
}

function next() {
  if (position >= events.length - 1) return stop();
  const wait = (events[position + 1].gapMs ?? 0) / Number(part("speed").value);
  timer = setTimeout(() => {
    show(position + 1);
    next();
  }, wait);
}

part("play").addEventListener("click", () => {
  if (timer !== undefined) return stop();
  if (position >= events.length - 1) show(0);
  part("play").textContent = "Pause";
  next();
});
part("position").addEventListener("input", (event) => {
  stop();
  show(Number(event.target.value));
});
load(0);
