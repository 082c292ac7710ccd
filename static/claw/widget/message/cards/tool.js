import { icon, make } from "../../dom/elements.js";
import { actButton } from "./ask.js";
import { duration, valueBox } from "./text.js";

/** @import {ClawError} from "../../../client/errors.js" */
/** @import {Strings} from "../../locales/strings.js" */
/** @import {ToolUse} from "../../../types.js" */
/** @typedef {"working" | "done" | "failed" | "ended"} State `ended`: the answer is over, and the call brought nothing */

/** Characters of an answer that the line has. */
const LONGEST_VERDICT = 200;

/** A tool call, folded: its name and how it went; in it the arguments and the result. */
export class ToolCard {
  #strings;
  /** @type {ToolUse} */
  #tool;
  /** @type {State} */
  #state = "working";
  #shown = "";
  #sign = make("span", { class: "sign" });
  #told = make("span", { class: "unseen" });
  #verdict = make("span", { class: "verdict", dir: "auto" });
  #time = make("span", { class: "time" });
  #values = make("div", { class: "values" });
  #offered = false;
  #revoke;
  /** The standing approval that was revoked here. */
  #revoked = "";
  /** The element that the page shows in place of it. @type {HTMLElement | null} */
  own = null;

  /** @param {Strings} strings @param {ToolUse} tool @param {(id: string) => Promise<unknown>} revoke */
  constructor(strings, tool, revoke) {
    this.#strings = strings;
    this.#tool = tool;
    this.#revoke = revoke;
    const asked = questionOf(tool);
    const kind = asked ? "name asked" : tool.childRunId ? "name agent" : "name";
    const name = make("span", { class: kind, dir: "auto" }, asked || tool.tool);
    const summary = make("summary", {}, this.#sign, name, this.#told, this.#verdict, this.#time);
    this.element = /** @type {HTMLDetailsElement} */ (make("details", { class: "card tool" }, summary, this.#values));
    this.element.addEventListener("toggle", () => this.#fill());
  }

  /** @param {ToolUse} tool @param {boolean} over whether the answer is */
  show(tool, over) {
    this.#tool = tool;
    this.#state = stateOf(tool, over);
    const shown = JSON.stringify([this.#state, tool.durationMs, tool.approval]);
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.element.dataset.state = this.#state;
    this.#sign.replaceChildren(icon(this.#state === "failed" || this.#state === "ended" ? "close" : "check"));
    this.#told.textContent = this.#strings.cards[this.#state];
    this.#verdict.textContent = this.#decided(tool);
    this.#time.textContent = tool.durationMs === undefined ? "" : duration(this.#strings, tool.durationMs);
    this.#fill();
  }

  /** The page may show the result in its own way, once it is there. */
  offer() {
    if (this.#offered || this.#tool.result === undefined) return;
    this.#offered = true;
    const own = make("div", { class: "own" });
    const detail = { tool: { ...this.#tool }, element: own };
    if (this.element.dispatchEvent(new CustomEvent("claw:tool", { bubbles: true, composed: true, cancelable: true, detail }))) return;
    this.element.hidden = true;
    this.element.after((this.own = own));
  }

  focus() {
    this.element.querySelector("summary")?.focus();
  }

  /** How somebody has decided about it, or what they have answered. @param {ToolUse} tool */
  #decided({ approval, result, ...tool }) {
    const { cards } = this.#strings;
    if (!approval) {
      if (!questionOf(tool) || typeof result !== "string") return "";
      return tool.isError ? cards.skipped : result.slice(0, LONGEST_VERDICT);
    }
    if (approval.by.kind === "expiry") return cards.expired;
    if (approval.by.kind === "standing") return cards.standing;
    return approval.approved ? cards.approved : cards.denied;
  }

  /** Write the values, if somebody looks at them. */
  #fill() {
    if (!this.element.open) return;
    const { cards } = this.#strings;
    const { args, result, approval } = this.#tool;
    const asked = this.#tool.childRunId && typeof args.message === "string" ? args.message : args;
    const boxes = [valueBox(this.#strings, cards.arguments, asked)];
    if (approval?.reason) boxes.push(valueBox(this.#strings, cards.reason, approval.reason));
    if (result !== undefined) boxes.push(valueBox(this.#strings, this.#state === "failed" ? cards.failed : cards.result, result));
    this.#values.replaceChildren(...boxes, ...this.#standing(approval?.by));
  }

  /** A call that was approved beforehand can ask again. @param {{kind: string, id?: string}} [by] */
  #standing({ kind = "", id = "" } = { kind: "" }) {
    if (kind !== "standing" || !id) return [];
    const { cards } = this.#strings;
    if (this.#revoked) return [make("p", { class: "about", role: "status" }, this.#revoked)];
    return [actButton(cards.askAgain, () => void this.#askAgain(id))];
  }

  /** @param {string} id */
  async #askAgain(id) {
    const { cards } = this.#strings;
    try {
      await this.#revoke(id);
      this.#revoked = cards.asksAgain;
    } catch (error) {
      const { code } = /** @type {ClawError} */ (error);
      this.#revoked = code === "not_found" ? cards.byMembers : this.#strings.sentence(code);
    }
    this.#fill();
    this.focus();
  }
}

/** The question to the reader, if the tool asks one. @param {ToolUse} tool */
function questionOf({ tool, args }) {
  return tool === "ask_user" && typeof args.text === "string" ? args.text : "";
}

/** @param {ToolUse} tool @param {boolean} over @returns {State} */
function stateOf({ result, isError }, over) {
  if (result === undefined) return over ? "ended" : "working";
  return isError ? "failed" : "done";
}
