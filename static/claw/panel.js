import { Announcer } from "./announcer.js";
import { Composer } from "./composer.js";
import { icon, iconButton, make } from "./dom.js";
import { nextFrame } from "./frame.js";
import { Log } from "./log.js";
import { Follower } from "./scroll.js";

/** @import {Conversation} from "./conversation.js" */
/** @import {AgentInfo} from "./session.js" */
/** @import {Strings} from "./i18n.js" */
/** @import {Change, LinkStatus, StreamEvent} from "./types.js" */

/** Everything that is seen, put together. It knows no server; what is done to it, it tells. */
export class Panel {
  /** @type {Conversation | null} */
  #conversation = null;
  #strings;
  #greeting;
  #title = make("h2", { class: "title", dir: "auto" });
  #link = make("p", { class: "link", role: "status" });
  #intro = make("div", { class: "intro" });
  #spoken = make("div", { class: "unseen", "aria-live": "polite" });
  #alert = make("div", { class: "unseen", role: "alert" });
  #problem = make("div", { class: "problem banner", hidden: true });
  #scroller = make("div", { class: "scroller", tabindex: 0 });
  #jump;
  #older;
  #follower;
  #announcer;

  /**
   * @param {Strings} strings
   * @param {{draft: string, title: string, greeting: string | null,
   *   onSend: (text: string, replaces?: string) => boolean, onDraft: (text: string) => void,
   *   onCode: (block: HTMLElement) => void}} options
   */
  constructor(strings, { draft, title, greeting, onSend, onDraft, onCode }) {
    this.#strings = strings;
    this.#greeting = greeting;
    this.log = new Log(strings, onCode);
    this.composer = new Composer(strings, { draft, onSend, onDraft });
    this.#announcer = new Announcer(this.#spoken, strings.codeBlock);
    this.#jump = make("button", { type: "button", class: "jump", hidden: true }, icon("down"), strings.jump);
    this.#jump.addEventListener("click", () => this.jump());
    const older = { type: "button", class: "older", "data-action": "older", hidden: true };
    this.#older = make("button", older, strings.older);
    const content = make("div", { class: "content" }, this.#older, this.#intro, this.log.element, this.log.waiting, this.#problem);
    this.#scroller.append(content);
    this.#follower = new Follower(this.#scroller, content, (following) => (this.#jump.hidden = following));
    const header = make("header", {}, iconButton("history", strings.history), this.#title);
    header.append(iconButton("new", strings.newChat), iconButton("close", strings.close));
    const edge = make("div", { class: "edge" }, this.#jump);
    const main = make("div", { class: "main" }, header, this.#link, this.#scroller, edge, this.composer.element);
    this.element = make("section", { class: "panel", part: "panel" }, main, this.#spoken, this.#alert);
    const launcher = { type: "button", class: "launcher", part: "launcher", "data-action": "toggle" };
    this.launcher = make("button", launcher, icon("chat"), icon("close"));
    this.#name(title);
    this.opened = false;
  }

  /** Begin to look at the page, once the element is in it. */
  start() {
    this.#follower.start();
  }

  stop() {
    this.#follower.stop();
  }

  /** @param {boolean} opened */
  set opened(opened) {
    this.launcher.setAttribute("aria-expanded", String(opened));
    this.launcher.setAttribute("aria-label", opened ? this.#strings.close : this.#strings.open);
  }

  /** Show the agent: its name, its greeting, and what one could ask. @param {AgentInfo} agent @param {string | null} title */
  introduce(agent, title) {
    this.#name(title ?? agent.name);
    const prompts = agent.prompts.map((text) => {
      return make("button", { type: "button", "data-action": "prompt", dir: "auto" }, text);
    });
    const greeting = this.#greeting ?? (agent.greeting || this.#strings.greeting);
    this.#intro.replaceChildren(make("p", { class: "greeting", dir: "auto" }, greeting));
    if (prompts.length) this.#intro.append(make("div", { class: "prompts", role: "group", "aria-label": this.#strings.suggestions }, ...prompts));
  }

  /** @param {Conversation} conversation */
  show(conversation) {
    this.#conversation = conversation;
    this.#announcer.end();
    this.complain("");
    this.log.show(conversation);
    this.connection(conversation.status);
    this.composer.fill(this.composer.draft);
    this.jump();
    nextFrame(this.#state);
  }

  /** @param {Change} change */
  apply(change) {
    this.log.apply(change);
    if (change.kind === "append") this.#announcer.add(change.text);
    nextFrame(this.#state);
  }

  /** @param {StreamEvent} event */
  event(event) {
    if (event.type === "status") {
      this.#announcer.say(event.message);
    } else if (event.type === "error") {
      this.alert(this.#strings.sentence(event.code));
    } else if (event.type === "done") {
      this.#announcer.end();
    }
  }

  /** @param {LinkStatus} status */
  connection(status) {
    const { reconnecting, offline } = this.#strings;
    const text = status === "reconnecting" ? reconnecting : status === "offline" ? offline : "";
    if (this.#link.textContent !== text) this.#link.textContent = text;
  }

  /** Something went wrong that belongs to no message; empty takes it back. @param {string} text */
  complain(text) {
    this.alert(text);
    this.#problem.hidden = !text;
    const again = make("button", { type: "button", "data-action": "reconnect" }, this.#strings.tryAgain);
    this.#problem.replaceChildren(make("span", {}, text), again);
  }

  /** Tell a screen reader at once. @param {string} text */
  alert(text) {
    this.#alert.textContent = text;
  }

  /** Tell a screen reader when it has time. @param {string} text */
  say(text) {
    this.#announcer.say(text);
  }

  jump() {
    this.#follower.jump();
  }

  /** @param {string} name */
  #name(name) {
    this.#title.textContent = name;
    this.element.setAttribute("aria-label", name || this.#strings.chat);
  }

  #state = () => {
    this.composer.busy = this.#conversation?.isStreaming ?? false;
    this.#intro.hidden = !!this.#conversation?.messages.length;
    this.#older.hidden = !this.#conversation?.hasOlder;
  };
}
