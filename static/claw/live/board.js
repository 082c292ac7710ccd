import { arrange, make } from "../widget/dom/elements.js";
import { asker, count, dollars, duration } from "./words.js";

/** @import {Row} from "./types.js" */

/** Pixels; the style sheet says the same. */
const ROW_HEIGHT = 44;
/** Rows beyond what is seen, above and below. */
const MORE = 8;
const COLUMNS = /** @type {const} */ (["agent", "status", "by", "model", "tokens", "cost", "time"]);
const BAD = new Set(["failed", "interrupted"]);
const UNDER_WAY = new Set(["queued", "running", "waiting"]);

/** Whether there is anything to stop. @param {Row} row */
export const underWay = (row) => UNDER_WAY.has(row.status);

/** The badge of a status. @param {HTMLElement} badge @param {Row} row */
export function showStatus(badge, row) {
  const kind = BAD.has(row.status) ? " bad" : row.status === "completed" ? " good" : "";
  set(badge, row.status);
  if (badge.className !== `badge ${row.status}${kind}`) badge.className = `badge ${row.status}${kind}`;
}

/** How long a run has taken by now. @param {Row} row @param {number} now */
export const elapsed = (row, now) => duration((row.endedAt ?? now) - row.since);

/** @param {Node} node @param {string} text */
function set(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** One row of the table; it stays the same element for as long as its run is seen. */
class Line {
  /** @type {Record<string, HTMLElement>} */
  #cells = {};
  #badge = make("span");
  #tool = make("span", { class: "muted small" });
  #stop = make("button", { type: "button", class: "plain danger", "data-stop": true }, "Stop");
  #name;
  element;

  /** @param {Row} row @param {boolean} mayStop */
  constructor(row, mayStop) {
    this.#name = make("button", { type: "button", class: "plain name", "data-run": row.id });
    for (const name of COLUMNS) this.#cells[name] = make("td", { class: ["tokens", "cost", "time"].includes(name) ? "number" : null });
    this.#cells.agent.append(this.#name);
    this.#cells.status.append(this.#badge, this.#tool);
    this.#stop.dataset.stop = row.id;
    const last = make("td", {}, ...(mayStop ? [this.#stop] : []));
    this.element = make("tr", {}, ...COLUMNS.map((name) => this.#cells[name]), last);
  }

  /** @param {Row} row @param {number} index @param {boolean} open @param {number} now */
  show(row, index, open, now) {
    this.element.ariaRowIndex = String(index + 2); // the heading is the first
    this.element.classList.toggle("open", open);
    this.#name.ariaExpanded = String(open);
    set(this.#name, row.agentName);
    showStatus(this.#badge, row);
    set(this.#tool, [...row.tools.values()].join(", "));
    set(this.#cells.by, asker(row));
    set(this.#cells.model, row.model);
    set(this.#cells.tokens, count(row.tokens));
    set(this.#cells.cost, dollars(row.cost));
    set(this.#cells.time, elapsed(row, now));
    this.#stop.hidden = !underWay(row);
    this.#stop.ariaLabel = `Stop this run of ${row.agentName}`;
  }
}

/**
 * The table of runs. However many there are, only those that are seen have elements; what somebody
 * has scrolled to stays where it is while others come and go above it.
 */
export class Board {
  #scroller;
  #body;
  #table;
  #mayStop;
  /** @type {Map<string, Line>} */
  #lines = new Map();
  #above = spacer();
  #below = spacer();
  /** @type {Row[]} */
  #rows = [];
  #open = "";

  /** @param {HTMLElement} scroller around the table @param {{mayStop: boolean}} options */
  constructor(scroller, { mayStop }) {
    this.#scroller = scroller;
    this.#table = /** @type {HTMLTableElement} */ (scroller.querySelector("table"));
    this.#body = this.#table.tBodies[0];
    this.#mayStop = mayStop;
    scroller.addEventListener("scroll", () => this.draw(Date.now()), { passive: true });
  }

  /** These rows in this order; `open` is the run that is looked at. @param {Row[]} rows @param {string} open @param {number} now */
  show(rows, open, now) {
    const { scrollTop } = this.#scroller;
    const seen = scrollTop > 0 ? this.#rows[Math.floor(scrollTop / ROW_HEIGHT)] : undefined;
    this.#rows = rows;
    this.#open = open;
    this.#table.ariaRowCount = String(rows.length + 1);
    this.draw(now);
    if (!seen) return;
    const index = rows.findIndex(({ id }) => id === seen.id);
    const top = index * ROW_HEIGHT + (scrollTop % ROW_HEIGHT);
    if (index < 0 || top === scrollTop) return;
    this.#scroller.scrollTop = top;
    this.draw(now);
  }

  /** Make the page say what the rows say. @param {number} now */
  draw(now) {
    const { scrollTop, clientHeight } = this.#scroller;
    const first = Math.max(0, Math.min(Math.floor(scrollTop / ROW_HEIGHT), this.#rows.length) - MORE);
    const last = Math.min(this.#rows.length, Math.ceil((scrollTop + clientHeight) / ROW_HEIGHT) + MORE);
    const drawn = this.#rows.slice(first, last);
    const lines = drawn.map((row, number) => {
      const line = this.#lines.get(row.id) ?? new Line(row, this.#mayStop);
      this.#lines.set(row.id, line);
      line.show(row, first + number, row.id === this.#open, now);
      return line.element;
    });
    const ids = new Set(drawn.map(({ id }) => id));
    for (const id of this.#lines.keys()) if (!ids.has(id)) this.#lines.delete(id);
    stretch(this.#above, first);
    stretch(this.#below, this.#rows.length - last);
    arrange(this.#body, [this.#above, ...lines, this.#below]);
  }
}

function spacer() {
  return make("tr", { class: "spacer", "aria-hidden": "true" }, make("td", { colspan: COLUMNS.length + 1 }));
}

/** @param {HTMLElement} spacer @param {number} rows that it stands for */
function stretch(spacer, rows) {
  spacer.hidden = rows === 0;
  spacer.style.blockSize = `${rows * ROW_HEIGHT}px`;
}
