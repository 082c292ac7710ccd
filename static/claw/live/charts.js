import { make } from "../widget/dom/elements.js";
import { count, dollars, duration, timeOfDay } from "./words.js";

/** @import {Minute} from "./types.js" */

const SVG = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT, GAP] = [600, 96, 2];

/** @typedef {{title: string, value: (minute: Minute) => number | null, say: (value: number) => string,
 *   bad?: (minute: Minute) => number, sums?: boolean}} Subject `bad`: the part of it that went wrong */

/** @type {Subject[]} */
const SUBJECTS = [
  { title: "Runs a minute", value: ({ runs }) => runs, bad: ({ errors }) => errors, say: count, sums: true },
  { title: "Tokens a minute", value: ({ tokens }) => tokens, say: count, sums: true },
  { title: "Cost a minute", value: ({ cost }) => cost, say: dollars, sums: true },
  { title: "First token, 95 % within", value: ({ ttftP95Ms }) => ttftP95Ms, say: duration },
];

/** The charts of the last hour, and the same as a table for who cannot see them. */
export class Charts {
  #charts;
  #table;
  /** @type {Minute[]} */
  #minutes = [];

  /** @param {HTMLElement} place @param {HTMLDetailsElement} table */
  constructor(place, table) {
    this.#charts = SUBJECTS.map((subject) => new Chart(subject));
    place.replaceChildren(...this.#charts.map(({ element }) => element));
    this.#table = table;
    table.addEventListener("toggle", () => this.#fill());
  }

  /** @param {Minute[]} minutes oldest first */
  show(minutes) {
    this.#minutes = minutes;
    for (const chart of this.#charts) chart.show(minutes);
    this.#fill();
  }

  #fill() {
    if (!this.#table.open) return;
    const body = /** @type {HTMLTableElement} */ (this.#table.querySelector("table")).tBodies[0];
    const rows = this.#minutes.toReversed().map((minute) => {
      const values = SUBJECTS.map(({ value, say }) => said(value(minute), say));
      const cells = [values[0], count(minute.errors), ...values.slice(1)];
      return make("tr", {}, make("td", {}, timeOfDay(minute.at)), ...cells.map((text) => make("td", { class: "number" }, text)));
    });
    body.replaceChildren(...rows);
  }
}

/** Bars, one a minute; under the pointer, the value of one. */
class Chart {
  #subject;
  #value = make("b");
  #most = make("span", { class: "most muted small" });
  #bars;
  #bad;
  /** @type {Minute[]} */
  #minutes = [];
  /** The minute under the pointer. @type {number | null} */
  #at = null;
  element;

  /** @param {Subject} subject */
  constructor(subject) {
    this.#subject = subject;
    const svg = draw("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" });
    this.#bars = draw("path", { class: "bars" });
    this.#bad = draw("path", { class: "bars bad" });
    svg.append(this.#bars, this.#bad);
    const title = make("figcaption", {}, make("span", {}, subject.title), this.#value);
    const axis = make("div", { class: "axis muted small" }, make("span", {}, "60 min ago"), make("span", {}, "now"));
    this.element = make("figure", { class: "chart" }, title, make("div", { class: "plot" }, this.#most, svg), axis);
    svg.addEventListener("pointermove", ({ offsetX }) => this.#point(Math.floor((offsetX / svg.clientWidth) * this.#minutes.length)));
    svg.addEventListener("pointerleave", () => this.#point(null));
  }

  /** @param {Minute[]} minutes */
  show(minutes) {
    this.#minutes = minutes;
    const { value, bad, say } = this.#subject;
    const most = Math.max(0, ...minutes.map((minute) => value(minute) ?? 0));
    this.#most.textContent = most ? say(most) : "";
    const parts = (/** @type {(minute: Minute) => number | null} */ of) => minutes.map((minute) => (most ? (of(minute) ?? 0) / most : 0));
    this.#bars.setAttribute("d", bars(parts(value)));
    if (bad) this.#bad.setAttribute("d", bars(parts(bad)));
    this.#say();
  }

  /** @param {number | null} index */
  #point(index) {
    this.#at = index;
    this.#say();
  }

  /** The value under the pointer, else the sum of the hour, else the latest that there is. */
  #say() {
    const { value, say, sums } = this.#subject;
    const minute = this.#at === null ? undefined : this.#minutes[this.#at];
    if (minute) {
      this.#value.textContent = `${timeOfDay(minute.at)} · ${said(value(minute), say)}`;
      return;
    }
    const values = this.#minutes.map(value).filter((each) => each !== null);
    const shown = sums ? values.reduce((sum, each) => sum + each, 0) : (values.at(-1) ?? null);
    this.#value.textContent = said(shown, say);
  }
}

/** @param {number | null} value @param {(value: number) => string} say */
function said(value, say) {
  return value === null ? "–" : say(value);
}

/** The outline of bars of these heights, 0 to 1. @param {number[]} heights */
function bars(heights) {
  const step = WIDTH / heights.length;
  return heights
    .map((height, number) => (height ? `M${(number * step).toFixed(1)} ${HEIGHT}v${(-height * HEIGHT).toFixed(1)}h${(step - GAP).toFixed(1)}V${HEIGHT}z` : ""))
    .join("");
}

/** @param {string} tag @param {Record<string, string>} attributes */
function draw(tag, attributes) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}
