/** @import {FeedRun, Message, Row} from "./types.js" */

/** Runs that have ended and are still shown. */
const ENDED_KEPT = 200;
/** The time over which the speed is measured. Milliseconds. */
const SPEED_OVER = 5000;

/** The runs of an organisation, folded from the messages of its command center. It knows no page. */
export class Runs {
  /** By id, the oldest first. @type {Map<string, Row>} */
  #rows = new Map();
  /** Those that have ended, in that order. @type {Set<string>} */
  #ended = new Set();
  /** How many tokens came when, of late. @type {{at: number, tokens: number}[]} */
  #grown = [];

  /** The newest first. */
  get rows() {
    return [...this.#rows.values()].reverse();
  }

  /** @param {string} id */
  get(id) {
    return this.#rows.get(id);
  }

  /** @param {Message} message */
  add(message) {
    const at = Date.parse(message.at);
    if (message.type === "state") return this.#replace(message.runs, at);
    if (message.type === "run:started") return this.#put(message.run, at);
    if (message.type === "run:completed") return this.#end(message.run, at);
    const row = "runId" in message ? this.#rows.get(message.runId) : undefined;
    if (row) this.#change(row, message, at);
  }

  /** How many there are of each status. */
  counts() {
    const counts = { queued: 0, running: 0, waiting: 0, completed: 0, cancelled: 0, failed: 0, interrupted: 0 };
    for (const { status } of this.#rows.values()) counts[status] += 1;
    return counts;
  }

  /** Tokens a second, of all runs together. @param {number} now */
  speed(now) {
    this.#grown = this.#grown.filter(({ at }) => at > now - SPEED_OVER);
    const tokens = this.#grown.reduce((sum, one) => sum + one.tokens, 0);
    return (tokens * 1000) / SPEED_OVER;
  }

  /** Take the runs that are under way now; ended runs stay. @param {FeedRun[]} runs @param {number} at */
  #replace(runs, at) {
    const running = new Set(runs.map(({ id }) => id));
    for (const id of this.#rows.keys()) if (!this.#ended.has(id) && !running.has(id)) this.#rows.delete(id);
    for (const run of runs.toReversed()) this.#put(run, at);
  }

  /** @param {FeedRun} run @param {number} at */
  #put(run, at) {
    const known = this.#rows.get(run.id);
    if (known?.endedAt) return;
    const since = known?.since ?? (run.startedAt ? Date.parse(run.startedAt) : at);
    this.#rows.set(run.id, { ...run, since, endedAt: null, tools: known?.tools ?? new Map() });
  }

  /** @param {FeedRun} run @param {number} at */
  #end(run, at) {
    const known = this.#rows.get(run.id);
    this.#grow(run.tokens - (known?.tokens ?? 0), at);
    const since = known?.since ?? (run.startedAt ? Date.parse(run.startedAt) : at);
    this.#rows.set(run.id, { ...run, since, endedAt: at, tools: new Map() });
    this.#ended.add(run.id);
    const [oldest] = this.#ended;
    if (this.#ended.size <= ENDED_KEPT) return;
    this.#ended.delete(oldest);
    this.#rows.delete(oldest);
  }

  /** @param {Row} row @param {Message} message @param {number} at */
  #change(row, message, at) {
    switch (message.type) {
      case "run:status_changed":
        row.status = message.to;
        row.startedAt ??= message.to === "running" ? message.at : null;
        break;
      case "run:progress":
        this.#grow(message.tokens - row.tokens, at);
        row.tokens = Math.max(row.tokens, message.tokens);
        row.cost = message.cost ?? row.cost;
        break;
      case "run:tool_started":
        row.tools.set(message.id, message.tool);
        break;
      case "run:tool_completed":
        row.tools.delete(message.id);
        break;
    }
  }

  /** @param {number} tokens @param {number} at */
  #grow(tokens, at) {
    if (tokens > 0) this.#grown.push({ at, tokens });
  }
}
