import { arrange, make } from "../../dom/elements.js";
import { ApprovalCard } from "./approval.js";
import { pageCard } from "./page.js";
import { QuestionCard } from "./question.js";
import { SourcesCard } from "./sources.js";
import { ToolCard } from "./tool.js";

/** @import {Strings} from "../../locales/strings.js" */
/** @import {Message, Pending, ToolUse, Verdict} from "../../../types.js" */
/**
 * @typedef {{approve(id: string, verdict: Verdict): Promise<unknown>, answer(id: string, text: string): Promise<unknown>,
 *   decline(id: string): Promise<unknown>, revoke(id: string): Promise<unknown>}} Desk
 *   where decisions go to
 */

/** The cards of one message: its tool calls above the text, what it asks and its sources below. */
export class Cards {
  #strings;
  #desk;
  /** By the call's id. @type {Map<string, ToolCard>} */
  #tools = new Map();
  /** By the call's id. @type {Map<string, ApprovalCard | QuestionCard>} */
  #asks = new Map();
  #calls = make("div", { class: "cards" });
  #below = make("div", { class: "cards" });
  #sources;
  /** @type {HTMLElement | null} */
  #page = null;

  /** @param {Strings} strings @param {Element} body the message's text @param {Desk} desk */
  constructor(strings, body, desk) {
    this.#strings = strings;
    this.#desk = desk;
    this.#sources = new SourcesCard(strings);
    body.before(this.#calls);
    body.after(this.#below, this.#sources.element);
  }

  /** @param {Message} message */
  show(message) {
    const pending = message.pending ?? [];
    this.#showTools(message, new Set(pending.map(({ id, kind }) => (kind === "client_tool" ? "" : id))));
    this.#showAsks(message, pending);
    this.#sources.show(message.sources);
    if (message.context && !this.#page) this.#below.after((this.#page = pageCard(this.#strings, message.context)));
  }

  /** A call that is asked about is shown where it is asked. @param {Message} message @param {Set<string>} asked */
  #showTools({ tools, streaming }, asked) {
    const shown = tools.filter(({ id }) => !asked.has(id));
    const cards = shown.map((tool) => {
      const card = this.#tools.get(tool.id) ?? new ToolCard(this.#strings, tool, this.#desk.revoke);
      this.#tools.set(tool.id, card);
      card.show(tool, !streaming);
      return card;
    });
    arrange(this.#calls, cards.flatMap(({ element, own }) => (own ? [element, own] : [element])));
    for (const card of cards) card.offer();
  }

  /** @param {Message} message @param {Pending[]} pending */
  #showAsks({ streaming, tools }, pending) {
    for (const call of pending) if (!this.#asks.has(call.id)) this.#begin(call, askerOf(call, tools));
    const waiting = new Set(pending.map(({ id }) => id));
    for (const [id, ask] of this.#asks) {
      if (waiting.has(id)) continue;
      const tool = this.#tools.get(id);
      if (tool) this.#handOn(id, ask, tool);
      else ask.close(!streaming);
    }
    arrange(this.#below, [...this.#asks.values()].map(({ element }) => element));
  }

  /** @param {Pending} call @param {string} asker */
  #begin(call, asker) {
    const { approve } = this.#desk;
    if (call.kind === "approval") this.#asks.set(call.id, new ApprovalCard(this.#strings, call, approve, asker));
    else if (call.kind === "question") this.#asks.set(call.id, new QuestionCard(this.#strings, call, this.#desk));
  }

  /** The call's own card says how it was decided. @param {string} id @param {ApprovalCard | QuestionCard} ask @param {ToolCard} tool */
  #handOn(id, ask, tool) {
    const focused = ask.element.matches(":focus-within");
    this.#asks.delete(id);
    if (focused) tool.focus();
  }
}

/** The other agent that needs it, if one does. @param {Pending} call @param {ToolUse[]} tools */
function askerOf({ childRunId }, tools) {
  return (childRunId && tools.find((tool) => tool.childRunId === childRunId)?.tool) || "";
}
