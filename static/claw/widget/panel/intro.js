import { make } from "../dom/elements.js";

/** @import {AgentGreeting, PageGreeting} from "../../types.js" */
/** @import {Strings} from "../locales/strings.js" */
/** @import {Settings} from "../settings.js" */

/**
 * The beginning of a chat without messages: a greeting, and suggested questions. All of it
 * begins at the same side, also where the languages of the page and of the agent run in two directions.
 */
export class Intro {
  element = make("div", { class: "intro", hidden: true });
  #strings;

  /** @param {Strings} strings */
  constructor(strings) {
    this.#strings = strings;
  }

  /** @param {AgentGreeting} agent @param {string | null} own the page's greeting, in place of all others @param {Settings} settings */
  show(agent, own, settings) {
    const here = settings.get("greetings")?.find(({ page }) => matches(page, location.pathname));
    const text = own ?? here?.greeting ?? (agent.greeting || this.#strings.greeting);
    const prompts = (here?.prompts ?? agent.prompts).map((prompt) => {
      return make("button", { type: "button", "data-action": "prompt" }, make("bdi", {}, prompt));
    });
    const greeting = make("p", { class: "greeting" }, make("bdi", {}, text));
    this.element.replaceChildren(make("slot", { name: "greeting" }, greeting));
    if (!prompts.length) return;
    this.element.append(make("div", { class: "prompts", role: "group", "aria-label": this.#strings.suggestions }, ...prompts));
  }
}

/** Whether a path fits a pattern in which `*` is anything. @param {string} pattern @param {string} path */
function matches(pattern, path) {
  const parts = pattern.split("*").map((part) => part.replace(/[\\^$.+?()[\]{}|]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`).test(path);
}
