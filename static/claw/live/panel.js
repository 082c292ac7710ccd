import { Transcript } from "../client/transcript.js";
import { make } from "../widget/dom/elements.js";
import { nextFrame } from "../widget/dom/frame.js";
import { elapsed, showStatus, underWay } from "./board.js";
import { asker, count, dollars } from "./words.js";

/** @import {ReconnectingEventSource} from "../client/event_source.js" */
/** @import {Pending} from "../types.js" */
/** @import {Calls} from "./calls.js" */
/** @import {Row} from "./types.js" */

/** So near to the end somebody follows it. Pixels. */
const NEAR = 100;

/** One run beside the table: what was asked, what its tools do, and its text as it comes. */
export class Panel {
  #place;
  #calls;
  #may;
  #id = "";
  #transcript = new Transcript();
  /** @type {ReconnectingEventSource | null} */
  #source = null;
  #problem = "";
  /** The part of the text that is on the page. */
  #written = "";
  #parts;

  /**
   * @param {HTMLElement} place
   * @param {Calls} calls
   * @param {{stop: boolean, approve: boolean}} may what the member's role allows
   */
  constructor(place, calls, may) {
    this.#place = place;
    this.#calls = calls;
    this.#may = may;
    const part = (/** @type {string} */ name) => /** @type {HTMLElement} */ (place.querySelector(`[data-part="${name}"]`));
    this.#parts = {
      ...{ name: part("name"), status: part("status"), id: part("id"), stop: part("stop"), facts: part("facts") },
      ...{ asked: part("asked"), tools: part("tools"), pending: part("pending"), text: part("text"), problem: part("problem") },
    };
  }

  /** The run that is looked at, if any. */
  get id() {
    return this.#id;
  }

  /** Look at a run. @param {string} id */
  open(id) {
    if (id === this.#id) return;
    this.close();
    this.#id = id;
    this.#place.hidden = false;
    this.#follow(id);
    this.#draw();
  }

  /** Look at nothing. */
  close() {
    this.#source?.close();
    this.#source = null;
    this.#id = this.#problem = this.#written = "";
    this.#transcript = new Transcript();
    this.#place.hidden = true;
    this.#parts.text.replaceChildren();
    this.#parts.name.textContent = "";
  }

  /** The command center's row of it. @param {Row | undefined} row @param {number} now */
  show(row, now) {
    const { name, status, id, stop, facts } = this.#parts;
    id.textContent = id.dataset.copy = this.#id;
    stop.hidden = !row || !this.#may.stop || !underWay(row);
    stop.dataset.stop = this.#id;
    status.hidden = !row;
    if (!row) {
      name.textContent ||= "Run";
      return;
    }
    name.textContent = row.agentName;
    showStatus(status, row);
    const cost = row.cost === null ? [] : [dollars(row.cost)];
    const said = [asker(row), `${row.provider} ${row.model}`, `${count(row.tokens)} tokens`, ...cost, elapsed(row, now)];
    facts.textContent = said.join(" · ");
  }

  /** @param {string} id */
  #follow(id) {
    const source = (this.#source = this.#calls.stream(`/api/runs/${encodeURIComponent(id)}/events?merge=1`));
    source.onmessage = ({ data }) => {
      const event = JSON.parse(data);
      if (event.type === "snapshot") this.#transcript = Transcript.of(event);
      else if (event.seq > this.#transcript.lastSeq) this.#transcript.fold(event);
      if (event.type === "done") source.close();
      nextFrame(this.#draw);
    };
    source.onerror = ({ error, retryIn }) => {
      if (retryIn === null && this.#id === id && !this.#transcript.done) void this.#read(id, error);
    };
  }

  /** Its events are gone, its text may be there. @param {string} id @param {Error} problem */
  async #read(id, problem) {
    try {
      const run = await this.#calls.get(`/api/runs/${encodeURIComponent(id)}`);
      if (this.#id !== id) return;
      this.#transcript.text = run.content;
    } catch {
      this.#problem = problem.message;
    }
    this.#draw();
  }

  #draw = () => {
    if (!this.#id) return;
    const { asked, tools, pending, text, problem } = this.#parts;
    const { started, outcome } = this.#transcript;
    asked.textContent = started?.userContent ?? "";
    asked.hidden = !started;
    tools.replaceChildren(...this.#transcript.tools.map(toolLine));
    pending.replaceChildren(...(this.#may.approve ? this.#transcript.pending.filter(({ kind }) => kind === "approval").map(approvalLine) : []));
    problem.textContent = this.#problem || (outcome?.type === "error" ? outcome.message : "");
    problem.hidden = !problem.textContent;
    text.ariaBusy = String(!this.#transcript.final);
    this.#write(text);
  };

  /** Add what is new of the text: what somebody reads is not made anew. @param {HTMLElement} place */
  #write(place) {
    const { text } = this.#transcript;
    if (text === this.#written) return;
    const follows = place.scrollHeight - place.clientHeight - place.scrollTop < NEAR;
    if (text.startsWith(this.#written) && place.firstChild) /** @type {Text} */ (place.firstChild).appendData(text.slice(this.#written.length));
    else place.replaceChildren(text);
    this.#written = text;
    if (follows) place.scrollTop = place.scrollHeight;
  }

  /** Decide about a call that waits. @param {string} callId @param {boolean} approve */
  async decide(callId, approve) {
    const call = /** @type {Pending & {argsDigest: string} | undefined} */ (this.#transcript.pending.find(({ id }) => id === callId));
    if (!call) return;
    const path = `/api/runs/${encodeURIComponent(this.#id)}/approvals/${encodeURIComponent(callId)}`;
    await this.#calls.post(path, { argsDigest: call.argsDigest, approve });
  }
}

/** @param {import("../types.js").ToolUse} use */
function toolLine({ tool, durationMs, isError, result }) {
  const state = result === undefined ? "at work" : isError ? "failed" : `${durationMs} ms`;
  return make("li", { class: isError ? "bad" : null }, make("code", {}, tool), ` ${state}`);
}

/** @param {Pending} call */
function approvalLine(call) {
  const { id, tool, args } = /** @type {{id: string, tool: string, args: unknown}} */ (call);
  const buttons = [
    make("button", { type: "button", class: "primary", "data-approve": id }, "Approve"),
    make("button", { type: "button", "data-deny": id }, "Deny"),
  ];
  return make("li", {}, make("p", {}, "Waits for approval: ", make("code", {}, tool)), make("pre", { tabindex: 0 }, JSON.stringify(args, null, 2)), make("div", { class: "row" }, ...buttons));
}
