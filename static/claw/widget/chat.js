import { Controls } from "./controls.js";
import { Mount } from "./mount.js";
import { ATTRIBUTES, LOOKS, Settings } from "./settings.js";

/** @import {Identity} from "./visit/session.js" */
/** @import {ClientTool, Message} from "../types.js" */

/** A language that dates and numbers can be written in; anything else is an error to the browser. */
const LOCALE = /^[a-z]{2,3}([_-][a-z0-9]{2,8})*$/i;

/**
 * `<claw-chat agent="my-agent">`: a chat with an agent. Attributes, events, methods and custom
 * properties are described in docs/widget.md.
 */
export class ClawChat extends HTMLElement {
  static observedAttributes = [...ATTRIBUTES, "agent", "base", "dir", "greeting", "identity", "locale", "mode", "name", "open"];

  /** @type {Identity} */
  #identity = null;
  /** While it is on the page. @type {Mount | null} */
  #mount = null;
  #root = this.attachShadow({ mode: "open" });
  #controls = new Controls(this, this.#root, {
    mount: () => this.#mount,
    restart: () => this.#restart(),
    tell: (name, detail) => this.#tell(name, detail),
  });
  /** The page's text for the composer, until there is one. */
  #prefill = "";
  #settings = new Settings(this);
  /** @type {ClientTool[]} */
  #tools = [];
  /** The messages from before the chat was complete. @type {[text: string, replaces?: string][]} */
  #early = [];

  constructor() {
    super();
    // The page may have set them before this module was there.
    for (const name of ["identity", "settings", "tools"]) {
      if (!Object.hasOwn(this, name)) continue;
      const own = /** @type {any} */ (this);
      const value = own[name];
      delete own[name];
      own[name] = value;
    }
  }

  connectedCallback() {
    this.#controls.start();
    this.#start();
  }

  disconnectedCallback() {
    this.#controls.stop();
    this.#stop();
  }

  /** @param {string} name @param {string | null} before @param {string | null} now */
  attributeChangedCallback(name, before, now) {
    if (name === "open") this.#mount?.opened(now !== null);
    else if (LOOKS.includes(name)) this.#mount?.dress();
    else if (name === "page-data" && before !== null && now !== null) return; // it is read with each message
    else if (before !== now) this.#restart();
  }

  /** The visitor's identity, by the customer's word. A function is asked when a session begins; a text
   * that differs begins one. @returns {Identity} */
  get identity() {
    return this.#identity;
  }

  set identity(identity) {
    const before = this.#identity;
    this.#identity = identity;
    if (before !== identity && typeof identity !== "function") this.#restart();
  }

  /** How the chat looks and what it offers, of the page's word; docs/widget.md has the names. */
  get settings() {
    return this.#settings.page;
  }

  set settings(settings) {
    this.#settings.page = settings ?? {};
    this.#restart();
  }

  /** The tools that the agent may call in this page; see docs/widget.md. @returns {ClientTool[]} */
  get tools() {
    return this.#tools;
  }

  set tools(tools) {
    this.#tools = tools ?? [];
    if (this.#mount) this.#mount.visit.client.tools = this.#tools;
  }

  /** The agent's address. */
  get base() {
    const agent = this.getAttribute("agent") ?? "";
    return this.getAttribute("base") ?? new URL(`/a/${encodeURIComponent(agent)}`, import.meta.url).href;
  }

  /** Whose language and dates: `en_US`, as some pages have it, is `en-US`. */
  get locale() {
    const wanted = [this.getAttribute("locale"), document.documentElement.lang, navigator.language];
    for (const name of wanted) if (name && LOCALE.test(name)) return name.replaceAll("_", "-");
    return "en";
  }

  /** Whether it is a button in the corner, and not a part of the page. */
  get floating() {
    return !["inline", "page"].includes(this.getAttribute("mode") ?? "");
  }

  /** The messages, as the API's history has them. @returns {Message[]} */
  get messages() {
    return this.#mount?.visit.messages ?? [];
  }

  /** Show the chat. */
  open() {
    if (this.hasAttribute("open") || !this.#tell("claw:open")) return;
    this.toggleAttribute("open", true);
    // A chat that was opened with a click is open on the next page, too.
    if (this.floating && navigator.userActivation?.isActive) this.#mount?.visit.storage.set("open", true);
    if (this.floating) this.#mount?.panel?.composer.offer();
  }

  close() {
    if (!this.hasAttribute("open") || !this.#tell("claw:close")) return;
    this.toggleAttribute("open", false);
    if (this.floating) this.#mount?.visit.storage.set("open", undefined);
    this.#mount?.panel?.launcher.element.focus();
  }

  /** Say something in the visitor's name, also while the chat is closed. False if the page did not
   * allow it. @param {string} text @param {string} [replaces] */
  send(text, replaces) {
    const mount = this.#mount;
    if (mount && !mount.ready) return !!this.#early.push([text, replaces]);
    if (!mount || !this.#tell("claw:send", { text })) return false;
    void mount.connect(true);
    mount.visit.send(text, replaces);
    mount.panel?.jump();
    return true;
  }

  /** Show the chat and say something in the visitor's name. @param {string} text */
  ask(text) {
    this.open();
    return this.send(text);
  }

  /** Write in the visitor's place, for them to send. @param {string} text */
  prefill(text) {
    const panel = this.#mount?.panel;
    if (panel) panel.composer.suggest(text);
    else this.#prefill = text;
  }

  /** Show a few words beside the button of a closed chat, such as an offer of help. @param {string} text */
  async showBubble(text) {
    const { showBubble } = await import("./options/bubble.js");
    this.#mount?.showing((parts) => showBubble(parts, text));
  }

  /** Stop the answer that is coming. */
  stop() {
    this.#mount?.visit.conversation?.cancel();
  }

  /** Begin a new conversation. */
  newConversation() {
    if (!this.#tell("claw:new")) return;
    this.#mount?.visit.show(null);
    this.#mount?.history?.close();
    this.#mount?.panel?.composer.offer();
  }

  #restart() {
    if (!this.#mount) return; // it has not begun
    this.#stop();
    this.#start();
  }

  #start() {
    this.#mount = new Mount(this, this.#root, {
      settings: this.#settings,
      identity: () => this.#identity ?? this.getAttribute("identity"),
      takePrefill: () => {
        const text = this.#prefill;
        this.#prefill = "";
        return text;
      },
      onReady: () => {
        for (const said of this.#early.splice(0)) this.send(...said);
      },
      tell: (name, detail) => this.#tell(name, detail),
    });
    this.#mount.visit.client.tools = this.#tools;
    this.#mount.start();
  }

  #stop() {
    this.#mount?.stop();
    this.#mount = null;
  }

  /** @param {string} name @param {object} [detail] @returns {boolean} whether the page let it be */
  #tell(name, detail) {
    return this.dispatchEvent(new CustomEvent(name, { bubbles: true, composed: true, cancelable: true, detail }));
  }
}

customElements.define("claw-chat", ClawChat);
