import { ClawError } from "../errors.js";

/** Characters that one event may have: more than any answer; a server without end is cut there. */
const MAX_BYTES = 16 * 1024 * 1024;

/**
 * Reads Server-Sent Events from bytes, however they are cut.
 * https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 */
export class SseParser {
  #decoder = new TextDecoder(); // keeps half of a character for the next chunk; drops the BOM
  #line = "";
  #afterReturn = false;
  #size = 0;
  /** @type {string[]} */
  #data = [];
  #event = "";
  /** The last `id:`, also of an event without data. */
  lastEventId = "";

  /**
   * The events that are complete with this chunk.
   * @param {Uint8Array} chunk
   * @returns {{event: string, data: string, id: string}[]}
   */
  push(chunk) {
    /** @type {{event: string, data: string, id: string}[]} */
    const events = [];
    const text = this.#decoder.decode(chunk, { stream: true });
    let start = 0;
    for (const { 0: end, index } of text.matchAll(/\r\n|\n|\r/g)) {
      const half = this.#afterReturn && index === 0 && end === "\n"; // the rest of "\r" + "\n"
      this.#afterReturn = false;
      if (!half) this.#take(this.#line + text.slice(start, index), events);
      start = index + end.length;
    }
    if (text) this.#afterReturn = text.endsWith("\r");
    this.#keep(text.slice(start));
    return events;
  }

  /** @param {string} rest */
  #keep(rest) {
    this.#line += rest;
    this.#size += rest.length;
    if (this.#size > MAX_BYTES) throw new ClawError("bad_response", "An event is too large.");
  }

  /** @param {string} line @param {{event: string, data: string, id: string}[]} events */
  #take(line, events) {
    this.#line = "";
    if (line === "") {
      if (this.#data.length) {
        const event = this.#event || "message";
        events.push({ event, data: this.#data.join("\n"), id: this.lastEventId });
      }
      this.#data = [];
      this.#event = "";
      this.#size = 0;
      return;
    }
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "data") this.#data.push(value);
    else if (field === "event") this.#event = value;
    else if (field === "id" && !value.includes("\0")) this.lastEventId = value;
  }
}
