// The page `live/` of the console: everything that runs in the organisation, as it happens.
import { nextFrame } from "../widget/dom/frame.js";
import { Board, underWay } from "./board.js";
import { Calls } from "./calls.js";
import { Charts } from "./charts.js";
import { chosenIn, fits, queryOf } from "./filters.js";
import { Minutes } from "./minutes.js";
import { Panel } from "./panel.js";
import { Runs } from "./runs.js";
import { count, dollars } from "./words.js";

/** @import {ReconnectingEventSource} from "../client/event_source.js" */
/** @import {Message} from "./types.js" */

/** The page is written anew so often at most, and the clocks on it so often at least. Milliseconds. */
const [PACE, TICK] = [100, 1000];
/** Milliseconds between two readings of the state: it may have changed since the last one. */
const MINUTES_ANEW = 60_000;
/** A button that stops something asks once more, for so long. Milliseconds. */
const SURE = 4000;

const page = /** @type {HTMLElement} */ (document.querySelector("[data-live]"));
const form = /** @type {HTMLFormElement} */ (page.querySelector("form"));
const may = { stop: "stop" in page.dataset, approve: "approve" in page.dataset };
const calls = new Calls(page.dataset.organization ?? "");
const board = new Board(find("[data-board]"), { mayStop: may.stop });
const charts = new Charts(find("[data-charts]"), /** @type {HTMLDetailsElement} */ (find("[data-numbers]")));
const panel = new Panel(find("[data-panel]"), calls, may);
const minutes = new Minutes();

let runs = new Runs();
let chosen = chosenIn(location.search);
let connections = 0;
let shownAt = 0;
/** @type {ReconnectingEventSource | null} */
let source = null;
/** When the next attempt is made. @type {number | null} */
let retryAt = null;

/** @param {string} selector @returns {HTMLElement} */
function find(selector) {
  return /** @type {HTMLElement} */ (page.querySelector(selector));
}

// -- what comes

function connect() {
  source?.close();
  runs = new Runs();
  const query = chosen.agent ? `?agentIds=${encodeURIComponent(chosen.agent)}` : "";
  const opened = (source = calls.stream(`/api/command-center/stream${query}`));
  opened.onmessage = ({ data }) => receive(JSON.parse(data));
  opened.onopen = () => say("live", "Live");
  opened.onerror = ({ error, retryIn }) => {
    retryAt = retryIn === null ? null : Date.now() + retryIn;
    say("down", retryIn === null ? error.message : "The link is down");
  };
  say("connecting", "Connecting");
  void readMinutes();
}

/** @param {Message} message */
function receive(message) {
  runs.add(message);
  minutes.add(message);
  if (message.type === "state") connections = message.connections.length;
  ask();
}

async function readMinutes() {
  const { agent } = chosen;
  const read = await calls.get("/api/command-center/minutes", { agentIds: agent || undefined }).catch(() => null);
  if (!read || chosen.agent !== agent) return;
  minutes.replace(read.minutes);
  ask();
}

// -- what is shown

/** @param {string} state @param {string} text */
function say(state, text) {
  const link = find("[data-link]");
  link.dataset.link = state;
  if (state === "live") retryAt = null;
  find("[data-link] [role=status]").textContent = text;
  find("[data-again]").hidden = true;
}

/** Write the page anew soon; asked for a thousand times a second it is a few times. */
function ask() {
  if (performance.now() - shownAt >= PACE) nextFrame(show);
}

function show() {
  shownAt = performance.now();
  const now = Date.now();
  const counts = runs.counts();
  const rows = runs.rows.filter((row) => fits(row, chosen));
  const stoppable = rows.filter(underWay).length;
  board.show(rows, panel.id, now);
  charts.show(minutes.last(now));
  if (panel.id) panel.show(runs.get(panel.id), now);
  tell("running", count(counts.running));
  tell("waiting", count(counts.waiting + counts.queued));
  tell("speed", count(runs.speed(now)));
  tell("cost", dollars(runs.rows.filter(underWay).reduce((sum, { cost }) => sum + (cost ?? 0), 0)));
  tell("connections", count(connections));
  tell("rows", `${count(rows.length)} ${rows.length === 1 ? "run" : "runs"}`);
  find("[data-none]").hidden = rows.length > 0;
  find("[data-board]").hidden = rows.length === 0;
  const all = find("[data-stop-all]");
  all.hidden = !may.stop || stoppable === 0;
  all.dataset.count = String(stoppable);
}

/** @param {string} name @param {string} text */
function tell(name, text) {
  const place = find(`[data-number="${name}"]`);
  if (place.textContent !== text) place.textContent = text;
}

setInterval(() => {
  if (!document.hidden) nextFrame(show);
  const again = find("[data-again]");
  again.hidden = retryAt === null;
  if (retryAt !== null) again.textContent = `again in ${Math.max(0, Math.ceil((retryAt - Date.now()) / 1000))} s`;
}, TICK);
setInterval(() => {
  if (!document.hidden) void readMinutes();
}, MINUTES_ANEW);

// -- what is chosen

/** @param {Partial<typeof chosen>} change */
function choose(change) {
  const { agent } = chosen;
  chosen = { ...chosen, ...change };
  history.replaceState(null, "", location.pathname + queryOf(chosen));
  if (chosen.run) panel.open(chosen.run);
  else panel.close();
  page.classList.toggle("looking", chosen.run !== "");
  if (chosen.agent !== agent) connect();
  nextFrame(show);
}

function read() {
  const fields = new FormData(form);
  const of = (/** @type {string} */ name) => String(fields.get(name) ?? "");
  choose({ agent: of("agent"), status: of("status"), by: of("by"), q: of("q") });
}

form.addEventListener("input", read);
form.addEventListener("submit", (event) => event.preventDefault());
// Wherever the keyboard is: a button that was pressed may be hidden by now.
addEventListener("keydown", (event) => {
  if (event.key === "Escape" && panel.id && !document.querySelector("dialog[open]")) leave();
});

/** Look at no run any more; the keyboard goes back to where it was. */
function leave() {
  const { id } = panel;
  choose({ run: "" });
  nextFrame(() => /** @type {HTMLElement | null} */ (page.querySelector(`[data-run="${CSS.escape(id)}"]`))?.focus());
}

// -- what is done

page.addEventListener("click", async ({ target }) => {
  const button = /** @type {HTMLElement} */ (target).closest("button");
  if (!button) return;
  const { run, stop, approve, deny } = button.dataset;
  if (run) choose({ run: run === chosen.run ? "" : run });
  else if ("close" in button.dataset) leave();
  else if (stop && sure(button)) await attempt(button, () => calls.stop(stop));
  else if (approve) await attempt(button, () => panel.decide(approve, true));
  else if (deny) await attempt(button, () => panel.decide(deny, false));
  else if ("stopAll" in button.dataset) askAll();
  else if ("all" in button.dataset) {
    const ids = runs.rows.filter((row) => fits(row, chosen) && underWay(row)).map(({ id }) => id);
    /** @type {HTMLDialogElement} */ (find("dialog")).close();
    await attempt(button, () => calls.stopAll(ids));
  }
});

/** The first click asks, the second one does it. @param {HTMLElement} button */
function sure(button) {
  if (button.dataset.sure) return true;
  const text = button.textContent;
  button.dataset.sure = "asked";
  button.textContent = "Stop it?";
  setTimeout(() => {
    delete button.dataset.sure;
    button.textContent = text;
  }, SURE);
  return false;
}

function askAll() {
  const dialog = /** @type {HTMLDialogElement} */ (find("dialog"));
  find("[data-how-many]").textContent = find("[data-stop-all]").dataset.count ?? "";
  dialog.showModal();
}

/** @param {HTMLButtonElement} button @param {() => Promise<unknown>} work */
async function attempt(button, work) {
  const line = find("[data-problem]");
  line.hidden = true;
  button.disabled = true;
  try {
    await work();
  } catch (problem) {
    line.textContent = /** @type {Error} */ (problem).message;
    line.hidden = false;
  }
  button.disabled = false;
}

for (const name of /** @type {const} */ (["agent", "status", "by", "q"])) {
  /** @type {HTMLInputElement} */ (form.elements.namedItem(name)).value = chosen[name];
}
connect();
choose({});
