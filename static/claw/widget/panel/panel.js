import { Composer } from "./composer.js";
import { Header } from "./header.js";
import { Intro } from "./intro.js";
import { Launcher } from "./launcher.js";
import { Notices } from "./notices.js";
import { icon, make } from "../dom/elements.js";
import { nextFrame } from "../dom/frame.js";
import { Follower } from "../dom/scroll.js";
import { Log } from "../message/log.js";

/** @import {Conversation} from "../../client/conversation.js" */
/** @import {Settings} from "../settings.js" */
/** @import {Strings} from "../locales/strings.js" */
/** @import {AgentGreeting, Change} from "../../types.js" */

/**
 * @typedef {{draft: string, name: string | null, greeting: string | null, floating: boolean, settings: Settings,
 *   onSend: (text: string, replaces?: string) => boolean, onDraft: (text: string) => void,
 *   onCode: (block: HTMLElement) => void}} PanelOptions `floating`: it is a dialog over the page;
 *   `name` and `greeting` are the page's, in place of the agent's
 */

/** Everything that is seen, put together. It knows no server; what is done to it, it tells. */
export class Panel {
  /** Whether the agent was introduced. */
  greeted = false;
  /** Where more may stand: below the header, behind the last message, over and under where one writes. */
  places = { top: place("top"), last: place(), above: place(), bottom: place("bottom") };
  /** @type {Conversation | null} */
  #conversation = null;
  #options;
  #intro;
  #loading;
  #scroller = make("div", { class: "scroller", tabindex: 0 });
  #jump;
  #older;
  #follower;
  /** @type {Set<(conversation: Conversation) => void>} */
  #watchers = new Set();

  /** @param {Strings} strings @param {PanelOptions} options */
  constructor(strings, options) {
    const { draft, floating, onSend, onDraft, onCode } = options;
    this.strings = strings;
    this.#options = options;
    this.log = new Log(strings, onCode);
    this.composer = new Composer(strings, { draft, onSend, onDraft });
    this.header = new Header(strings);
    this.launcher = new Launcher(strings);
    this.notices = new Notices(strings, () => nextFrame(this.#state));
    this.#intro = new Intro(strings);
    this.#jump = make("button", { type: "button", class: "jump", hidden: true }, icon("down"), strings.jump);
    this.#jump.addEventListener("click", () => this.jump());
    const older = { type: "button", class: "older", "data-action": "older", hidden: true };
    this.#older = make("button", older, strings.older);
    this.#loading = make("div", { class: "loading", role: "status" }, make("span", { class: "unseen" }, strings.loading));
    this.#loading.append(make("i"), make("i"), make("i"));
    const parts = [this.#older, this.#loading, this.#intro.element, this.log.element, this.places.last, this.notices.problem];
    const content = make("div", { class: "content" }, ...parts);
    this.#scroller.append(content);
    this.#follower = new Follower(this.#scroller, content, (following) => (this.#jump.hidden = following));
    const frame = { class: "panel", part: "panel", tabindex: floating && -1 };
    this.element = make(floating ? "dialog" : "section", frame, this.#main(), this.notices.spoken, this.notices.alert);
    this.#call(options.name ?? "");
  }

  /** Begin to look at the page, once the element is in it. */
  start() {
    this.#follower.start();
  }

  stop() {
    this.#follower.stop();
  }

  /** Show the agent: its name, its greeting, and what one could ask. @param {AgentGreeting} agent */
  introduce(agent) {
    const { name, greeting, settings } = this.#options;
    this.#call(name ?? agent.name);
    this.launcher.dress(settings);
    this.#intro.show(agent, greeting, settings);
    this.composer.joins = agent.ifBusy === "steer";
    this.greeted = true;
    nextFrame(this.#state);
  }

  /** @param {Conversation} conversation */
  show(conversation) {
    this.#conversation = conversation;
    this.notices.end();
    this.notices.complain("");
    this.log.show(conversation);
    this.notices.connection(conversation.status);
    this.composer.fill(this.composer.draft);
    this.jump();
    nextFrame(this.#state);
  }

  /** @param {Change} change */
  apply(change) {
    this.log.apply(change);
    if (change.kind === "append") this.notices.append(change.text);
    nextFrame(this.#state);
  }

  /** Be told, once a frame, that something about the conversation has changed. @param {(conversation: Conversation) => void} watcher */
  watch(watcher) {
    this.#watchers.add(watcher);
    nextFrame(this.#state);
  }

  /** Load the messages before; the reader goes on seeing those that are there. @param {Conversation} conversation */
  async older(conversation) {
    const first = this.log.element.firstElementChild;
    this.#older.toggleAttribute("disabled", true);
    try {
      this.#follower.keep(first);
      await conversation.loadOlder();
    } finally {
      this.#older.toggleAttribute("disabled", false);
    }
  }

  jump() {
    this.#follower.jump();
  }

  #main() {
    const { top, above, bottom } = this.places;
    const edge = make("div", { class: "edge" }, this.#jump);
    const parts = [this.header.element, this.notices.link, top, this.#scroller, edge, above, this.composer.element, bottom];
    return make("div", { class: "main" }, ...parts);
  }

  /** @param {string} name */
  #call(name) {
    this.header.show(name, this.#options.settings);
    this.element.setAttribute("aria-label", name || this.strings.chat);
  }

  #state = () => {
    const { messages = [], isStreaming = false, isLoading = true, hasOlder = false } = this.#conversation ?? {};
    const loading = !messages.length && (isLoading || !this.greeted);
    this.composer.busy = isStreaming;
    this.#loading.hidden = !loading || !!this.notices.complaint;
    this.#intro.element.hidden = loading || messages.length > 0;
    this.#older.hidden = !hasOlder;
    this.#follower.resting = !messages.length; // a greeting is read from its beginning
    if (this.#conversation) for (const watcher of this.#watchers) watcher(this.#conversation);
  };
}

/** Where more may stand, and the page may put its own. @param {string} [slot] */
function place(slot) {
  return make("div", { class: "place" }, ...(slot ? [make("slot", { name: slot })] : []));
}
