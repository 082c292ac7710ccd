/** @import {Message, Minute} from "./types.js" */

const MINUTE = 60_000;
const SHOWN = 60;

/** The last hour by the minute: as the server has it, and what was told since. */
export class Minutes {
  /** By its beginning, in milliseconds since 1970. @type {Map<number, Minute>} */
  #minutes = new Map();
  /** When the runs that are under way were accepted. @type {Map<string, number>} */
  #accepted = new Map();

  /** Take the server's minutes in place of the known ones. @param {Minute[]} minutes */
  replace(minutes) {
    this.#minutes = new Map(minutes.map((minute) => [Date.parse(minute.at), minute]));
  }

  /** @param {Message} message */
  add(message) {
    if (message.type === "run:started") {
      const at = begin(Date.parse(message.at));
      this.#accepted.set(message.run.id, at);
      this.#minute(at).runs += 1;
    } else if (message.type === "run:completed") {
      const { id, status, tokens, cost } = message.run;
      const minute = this.#minute(this.#accepted.get(id) ?? begin(Date.parse(message.run.startedAt ?? message.at)));
      this.#accepted.delete(id);
      minute.tokens += tokens;
      minute.cost += cost ?? 0;
      minute.errors += Number(status === "failed" || status === "interrupted");
      minute.cancelled += Number(status === "cancelled");
    }
  }

  /** The last 60, the current one too, oldest first. @param {number} now */
  last(now) {
    const first = begin(now) - (SHOWN - 1) * MINUTE;
    for (const at of this.#minutes.keys()) if (at < first) this.#minutes.delete(at);
    for (const [id, at] of this.#accepted) if (at < first) this.#accepted.delete(id);
    return Array.from({ length: SHOWN }, (_, number) => {
      const at = first + number * MINUTE;
      return this.#minutes.get(at) ?? empty(at);
    });
  }

  /** @param {number} at */
  #minute(at) {
    const minute = this.#minutes.get(at) ?? empty(at);
    this.#minutes.set(at, minute);
    return minute;
  }
}

/** @param {number} at @returns {Minute} */
function empty(at) {
  const moment = new Date(at).toISOString();
  return { at: moment, runs: 0, errors: 0, cancelled: 0, tokens: 0, cost: 0, ttftP95Ms: null };
}

/** The beginning of a moment's minute. @param {number} at */
function begin(at) {
  return at - (at % MINUTE);
}
