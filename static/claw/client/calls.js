import { ClawError } from "./errors.js";

/** @import {Api} from "./api.js" */
/** @import {ClientTool, Pending, StreamEvent, Timers} from "../types.js" */
/** @typedef {{result: unknown, isError: boolean}} Outcome */

/** Told of a call in which the page was left. */
const LEFT = "The page was left during this call. It may have run, or not.";
/** A result is sent again after so long, doubled each time up to the last. Milliseconds. */
const AGAIN = 1000;
const AGAIN_AT_MOST = 30_000;
const ATTEMPTS = 12;
/** The run does not wait for the result any more. */
const OVER = new Set(["already_decided", "tool_call_not_found", "closed"]);
/** The server does not take the result itself. */
const UNFIT = new Set(["invalid_message", "message_too_large"]);
/** The storage in which a browser keeps the runs that its pages have asked for, and their largest number. */
const ASKED = "claw:asked";
const MAX_ASKED = 20;

/**
 * Carries out the calls of the tools that the page or program has, in the runs that were asked here.
 * After a reload a call goes on whose tool does the same a second time; of any other the model is told
 * that it may have run.
 */
export class Calls {
  /** @type {ClientTool[]} */
  tools;
  #api;
  #timers;
  #onProblem;
  /** The names of what was asked here. @type {Set<string>} */
  #asked = new Set();
  /** The controllers that end the calls of each run that was asked here. @type {Map<string, AbortController>} */
  #runs = new Map();
  /** By run and id. @type {Set<string>} */
  #begun = new Set();
  #closed = false;

  /** @param {ClientTool[]} tools @param {{api: Api, timers: Timers, onProblem: (error: ClawError) => void}} options */
  constructor(tools, { api, timers, onProblem }) {
    this.tools = tools;
    this.#api = api;
    this.#timers = timers;
    this.#onProblem = onProblem;
  }

  /** The tools as the message of this name brings them. @param {string} clientMessageId */
  bring(clientMessageId) {
    if (!this.tools.length) return undefined;
    this.#asked.add(clientMessageId);
    return this.tools.map(({ name, description, inputSchema }) => ({ name, description, inputSchema }));
  }

  /** Hear what happens. @param {StreamEvent} event */
  hear(event) {
    const { runId } = event;
    if (event.type === "run_started" && this.#asked.delete(event.clientMessageId ?? "")) {
      this.#runs.set(runId, new AbortController());
      remember(runId, true);
    } else if (event.type === "tool_call" && event.client) {
      void this.#carryOut(runId, event);
    } else if (event.type === "snapshot") {
      for (const call of event.pending) if (call.kind === "client_tool") void this.#carryOut(runId, call);
    } else if (["message_complete", "cancelled", "error"].includes(event.type) && this.#runs.has(runId)) {
      this.#runs.get(runId)?.abort();
      this.#runs.delete(runId);
      remember(runId, false);
    }
  }

  /** End all of it. */
  close() {
    this.#closed = true;
    for (const controller of this.#runs.values()) controller.abort();
  }

  /** @param {string} runId @param {Pick<Pending, "id" | "tool" | "args">} call */
  async #carryOut(runId, call) {
    const tool = this.tools.find(({ name }) => name === call.tool);
    const [ours, key] = [this.#runs.get(runId), `${runId}:${call.id}`];
    if (!tool || this.#begun.has(key) || !(ours || asked().includes(runId))) return;
    this.#begun.add(key);
    await alone(`claw:${key}`, async () => {
      // Another tab may have done it; one that was left has not.
      if (!ours && !(await this.#waits(runId, call.id))) return;
      const { signal } = ours ?? new AbortController();
      const again = ours || tool.repeatable;
      const outcome = again ? await resultOf(tool, call, { id: call.id, runId, signal }) : { result: LEFT, isError: true };
      if (!signal.aborted) await this.#send(runId, call.id, outcome);
    });
  }

  /** @param {string} runId @param {string} id @returns {Promise<boolean>} */
  async #waits(runId, id) {
    const run = await this.#api.json("GET", `/api/runs/${encodeURIComponent(runId)}`).catch(() => null);
    return !!run?.pending.some((/** @type {Pending} */ call) => call.id === id);
  }

  /** @param {string} runId @param {string} id @param {Outcome} outcome */
  async #send(runId, id, outcome) {
    let { result, isError } = outcome;
    for (let attempt = 0; !this.#closed; attempt += 1) {
      try {
        return void (await this.#api.toolResult(runId, id, result, isError));
      } catch (problem) {
        const error = ClawError.from(problem);
        if (OVER.has(error.code)) return;
        const unfit = UNFIT.has(error.code) && !isError;
        if ((!unfit && !error.retryable) || attempt === ATTEMPTS) return this.#onProblem(error);
        if (unfit) [result, isError] = [error.message, true];
        else await this.#pause(Math.min(AGAIN * 2 ** attempt, AGAIN_AT_MOST));
      }
    }
  }

  /** @param {number} ms */
  #pause(ms) {
    return new Promise((resolve) => this.#timers.setTimeout(() => resolve(undefined), ms));
  }
}

/**
 * The result of a tool: any JSON, or the reason of its failure.
 * @param {ClientTool} tool @param {Pick<Pending, "args">} call
 * @param {{id: string, runId: string, signal: AbortSignal}} about
 * @returns {Promise<Outcome>}
 */
async function resultOf(tool, { args }, about) {
  try {
    const result = (await tool.call(args ?? {}, about)) ?? null;
    return { result: JSON.parse(JSON.stringify(result)), isError: false };
  } catch (problem) {
    return { result: problem instanceof Error ? problem.message : String(problem), isError: true };
  }
}

/** Do it while no other tab does. @param {string} name @param {() => Promise<void>} act */
function alone(name, act) {
  const locks = globalThis.navigator?.locks;
  return locks ? locks.request(name, act) : act();
}

/** The runs that this browser's pages have asked for; none where there are no pages. @returns {string[]} */
function asked() {
  try {
    return globalThis.document && navigator.locks ? JSON.parse(localStorage.getItem(ASKED) ?? "[]") : [];
  } catch {
    return []; // a browser that keeps nothing, or somebody else's value
  }
}

/** @param {string} runId @param {boolean} going whether it goes on */
function remember(runId, going) {
  if (!globalThis.document) return;
  const others = asked().filter((id) => id !== runId);
  try {
    localStorage.setItem(ASKED, JSON.stringify((going ? [...others, runId] : others).slice(-MAX_ASKED)));
  } catch {
    // A browser that keeps nothing: then a reload leaves the call to its expiry.
  }
}
