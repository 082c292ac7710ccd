import { make } from "./dom.js";
import { nextFrame } from "./frame.js";
import { direction, strings } from "./i18n.js";
import { Panel } from "./panel.js";
import { sheet } from "./styles.js";
import { Visit } from "./visit.js";

/** @import {Conversation} from "./conversation.js" */
/** @import {History} from "./history.js" */
/** @import {Strings} from "./i18n.js" */
/** @import {Identity} from "./session.js" */
/** @import {Message} from "./types.js" */

const COPIED_MS = 2000;

/**
 * `<claw-chat agent="my-agent">`: a chat with an agent. Attributes, events, methods and custom
 * properties are described in docs/widget.md.
 */
export class ClawChat extends HTMLElement {
  static observedAttributes = ["accent", "agent", "base", "dir", "greeting", "identity", "locale", "mode", "name", "open"];

  /** @type {Identity} */
  #identity = null;
  /** @type {Visit | null} */
  #visit = null;
  /** @type {Panel | null} */
  #panel = null;
  /** @type {Strings | null} */
  #strings = null;
  /** @type {Promise<History> | null} */
  #history = null;
  #root = this.attachShadow({ mode: "open" });
  /** Whether something was sent before there was a conversation: it goes when there is one. */
  #eager = false;
  #connected = false;

  constructor() {
    super();
    // The page may have said who it is before this module was there.
    const { identity } = /** @type {{identity?: Identity}} */ (this);
    if (!Object.hasOwn(this, "identity")) return;
    delete (/** @type {any} */ (this).identity);
    this.#identity = identity ?? null;
  }

  connectedCallback() {
    this.#root.addEventListener("click", this.#click);
    this.addEventListener("keydown", this.#key);
    void this.#start();
  }

  disconnectedCallback() {
    this.#root.removeEventListener("click", this.#click);
    this.removeEventListener("keydown", this.#key);
    this.#stop();
  }

  /** @param {string} name @param {string | null} before @param {string | null} now */
  attributeChangedCallback(name, before, now) {
    if (name === "accent") {
      if (now) this.style.setProperty("--claw-accent", now);
      else this.style.removeProperty("--claw-accent");
    } else if (name === "open") {
      this.#opened(now !== null);
    } else if (before !== now) {
      this.#restart();
    }
  }

  /** Who the visitor is, of the customer's word. A function is asked when a session begins; a text
   * that differs begins one. @returns {Identity} */
  get identity() {
    return this.#identity;
  }

  set identity(identity) {
    const before = this.#identity;
    this.#identity = identity;
    if (before !== identity && typeof identity !== "function" && this.#connected) this.#restart();
  }

  /** The agent's address. */
  get base() {
    const agent = this.getAttribute("agent") ?? "";
    return this.getAttribute("base") ?? new URL(`/a/${encodeURIComponent(agent)}`, import.meta.url).href;
  }

  get locale() {
    return this.getAttribute("locale") || document.documentElement.lang || navigator.language;
  }

  /** What was said here. @type {Message[]} */
  get messages() {
    return this.#visit?.conversation?.messages ?? [];
  }

  get #floating() {
    const mode = this.getAttribute("mode");
    return mode !== "inline" && mode !== "page";
  }

  /** Show the chat, and connect if this is the first time. */
  open() {
    if (this.hasAttribute("open") || !this.#tell("claw:open")) return;
    this.toggleAttribute("open", true);
    if (this.#floating) this.#panel?.composer.focus();
  }

  close() {
    if (!this.hasAttribute("open") || !this.#tell("claw:close")) return;
    this.toggleAttribute("open", false);
    this.#panel?.launcher.focus();
  }

  /** Say something in the visitor's name. False if the page did not allow it. @param {string} text @param {string} [replaces] */
  send(text, replaces) {
    if (!this.#visit?.conversation || !this.#tell("claw:send", { text })) return false;
    this.#visit.send(text, replaces);
    this.#panel?.jump();
    return true;
  }

  /** Stop the answer that is coming. */
  stop() {
    this.#visit?.conversation?.cancel();
  }

  /** Begin a new conversation. */
  newConversation() {
    this.#visit?.show(null);
    this.#closeHistory();
    this.#panel?.composer.focus();
  }

  #restart() {
    if (!this.#visit) return; // it has not begun
    this.#stop();
    void this.#start();
  }

  async #start() {
    const visit = new Visit({
      base: this.base,
      identity: () => this.#identity ?? this.getAttribute("identity"),
      onConversation: (conversation) => this.#follow(conversation),
    });
    this.#visit = visit;
    const [texts, style] = await Promise.all([strings(this.locale), sheet()]);
    if (this.#visit !== visit) return; // taken out of the page, or changed, meanwhile
    this.#strings = texts;
    this.#root.adoptedStyleSheets = [style];
    this.#panel = this.#build(texts, visit);
    const dir = this.getAttribute("dir") || direction(this.locale);
    this.#root.replaceChildren(make("div", { class: "chat", dir, lang: texts.lang }, this.#panel.launcher, this.#panel.element));
    this.#panel.start();
    this.#tell("claw:ready");
    if (this.#floating && !visit.storage.get("open")) return this.#opened(this.hasAttribute("open"));
    this.toggleAttribute("open", true); // without taking the focus from the page
    this.#opened(true);
  }

  /** The attribute says so, whoever has set it. @param {boolean} open */
  #opened(open) {
    if (!this.#panel) return;
    this.#panel.opened = open;
    if (this.#floating) this.#visit?.storage.set("open", open || undefined);
    if (!open) return;
    this.removeAttribute("unread");
    void this.#connect();
  }

  /** @param {Strings} texts @param {Visit} visit */
  #build(texts, visit) {
    return new Panel(texts, {
      draft: visit.storage.get("draft") ?? "",
      title: this.getAttribute("name") ?? "",
      greeting: this.getAttribute("greeting"),
      onSend: (text, replaces) => {
        this.#eager = !this.#visit?.conversation;
        return this.send(text, replaces);
      },
      onDraft: (draft) => visit.storage.set("draft", draft || undefined),
      onCode: (block) => void this.#colour(block),
    });
  }

  #stop() {
    this.#visit?.close();
    this.#panel?.stop();
    this.#visit = this.#panel = this.#history = null;
    this.#connected = this.#eager = false;
    this.#root.replaceChildren();
  }

  async #connect() {
    const visit = this.#visit;
    if (!visit || !this.#panel || this.#connected) return;
    this.#connected = true;
    try {
      const agent = await visit.open();
      if (visit !== this.#visit) return;
      this.#panel?.introduce(agent, this.getAttribute("name"));
      if (this.#eager) this.#panel?.composer.submit();
    } catch (error) {
      this.#connected = this.#eager = false;
      this.#failed(error);
    }
  }

  /** @param {Conversation} conversation */
  #follow(conversation) {
    this.#panel?.show(conversation);
    conversation
      .on("change", (change) => this.#panel?.apply(change))
      .on("status", (status) => this.#panel?.connection(status))
      .on("error", (error) => this.#failed(error))
      .on("event", (event) => {
        this.#panel?.event(event);
        this.#tell("claw:event", event);
        if (event.type === "done") this.#answered(conversation, event.messageId);
      });
  }

  /** @param {Conversation} conversation @param {string} id */
  #answered(conversation, id) {
    if (!this.hasAttribute("open")) this.toggleAttribute("unread", true);
    const message = conversation.messages.find((each) => each.id === id);
    if (message) this.#tell("claw:message", { message });
  }

  /** @param {unknown} error */
  #failed(error) {
    const { code = "other" } = /** @type {{code?: string}} */ (error);
    this.#tell("claw:error", { code, error });
    if (!this.#strings || !this.#panel) return;
    if (code === "conversation_not_found") return this.newConversation(); // deleted, here or elsewhere
    const text = this.#strings.sentence(code);
    // What was refused says so itself, beside its text.
    if (this.messages.some(({ status, error: own }) => status === "failed" && own?.code === code)) this.#panel.alert(text);
    else this.#panel.complain(text);
  }

  /** @param {string} name @param {object} [detail] @returns {boolean} whether the page let it be */
  #tell(name, detail) {
    return this.dispatchEvent(new CustomEvent(name, { bubbles: true, composed: true, cancelable: true, detail }));
  }

  // -- what is clicked and pressed

  /** @type {Record<string, (button: HTMLElement) => void>} */
  #actions = {
    toggle: () => (this.hasAttribute("open") ? this.close() : this.open()),
    close: () => this.close(),
    new: () => this.newConversation(),
    history: () => void this.#openHistory(),
    "close-history": () => this.#closeHistory(),
    stop: () => this.stop(),
    prompt: (button) => this.send(button.textContent ?? ""),
    older: () => void this.#visit?.conversation?.loadOlder().catch((error) => this.#failed(error)),
    reconnect: () => this.#reconnect(),
    retry: () => void this.#visit?.conversation?.retry(),
    "cancel-edit": () => this.#panel?.composer.back(),
    "copy-code": (button) => this.#copy(button, button.closest("figure")?.querySelector("code")?.textContent),
    copy: (button) => this.#copy(button, this.#panel?.log.messageOf(button)?.content),
    edit: (button) => this.#edit(this.#panel?.log.messageOf(button)),
    "thumb-up": (button) => this.#rate(button, "up"),
    "thumb-down": (button) => this.#rate(button, "down"),
  };

  #click = (/** @type {Event} */ event) => {
    const target = /** @type {Element} */ (event.target);
    const button = /** @type {HTMLElement | null} */ (target.closest("[data-action]"));
    if (button) return this.#act(button);
    const link = /** @type {HTMLAnchorElement | null} */ (target.closest(".body a[href]"));
    if (link && !this.#tell("claw:link", { url: link.href })) event.preventDefault();
  };

  /** @param {HTMLElement} button */
  #act(button) {
    const byKeyboard = button.matches(":focus-visible");
    this.#actions[button.dataset.action ?? ""]?.(button);
    // Many a button goes when it has done its work: whoever was on it shall not be nowhere.
    if (byKeyboard) nextFrame(() => this.#root.activeElement?.checkVisibility() || this.#panel?.composer.focus());
  }

  #key = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Escape" || event.isComposing) return;
    if (this.#visit?.conversation?.isStreaming) this.stop();
    else if (this.hasAttribute("history")) this.#closeHistory();
    else if (this.#panel?.composer.editing) this.#panel.composer.back();
    else if (this.#floating) this.close();
    else return;
    event.preventDefault();
  };

  #reconnect() {
    this.#panel?.complain("");
    if (this.#connected) this.#visit?.show(this.#visit.conversation?.id ?? null);
    else void this.#connect();
  }

  /** @param {Message | undefined} message */
  #edit(message) {
    if (!message) return;
    this.#panel?.composer.edit(message.content, message.id);
    this.#panel?.composer.focus();
  }

  /** @param {HTMLElement} button @param {string | null | undefined} text */
  async #copy(button, text) {
    if (!text || !this.#strings) return;
    const { copy } = await import("./code.js");
    await copy(text);
    button.classList.add("copied");
    this.#panel?.say(this.#strings.copied);
    setTimeout(() => button.classList.remove("copied"), COPIED_MS);
  }

  /** @param {HTMLElement} button @param {"up" | "down"} rating */
  #rate(button, rating) {
    const message = this.#panel?.log.messageOf(button);
    if (!message) return;
    const wanted = message.feedback?.rating === rating ? null : rating;
    const onComment = (/** @type {string} */ comment) => {
      button.focus(); // what one has written in goes
      if (this.#feedback(message, rating, null, comment)) this.#panel?.say(this.#strings?.thanks ?? "");
    };
    this.#feedback(message, wanted, wanted && onComment);
  }

  /**
   * Whether the page let it be.
   * @param {Message} message @param {"up" | "down" | null} rating
   * @param {((comment: string) => void) | null} onComment @param {string} [comment]
   */
  #feedback(message, rating, onComment, comment) {
    if (!this.#visit || !this.#tell("claw:feedback", { message, rating, comment })) return false;
    message.feedback = rating && { rating, comment };
    this.#panel?.log.rated(message, onComment);
    this.#visit.client.messages.rate(message.id, rating, comment).catch((error) => this.#failed(error));
    return true;
  }

  /** @param {HTMLElement} block */
  async #colour(block) {
    try {
      const { colour } = await import("./code.js");
      await colour(block);
    } catch (error) {
      console.warn("Clawsite: code stays without colours:", error);
    }
  }

  async #openHistory() {
    const visit = this.#visit;
    if (!visit) return;
    this.toggleAttribute("history", true);
    this.#history ??= this.#loadHistory(visit);
    try {
      const history = await this.#history;
      await history.load(visit.conversation?.id ?? null);
      nextFrame(() => history.focus());
    } catch (error) {
      this.#closeHistory();
      this.#failed(error);
    }
  }

  #closeHistory() {
    const within = this.#root.activeElement?.closest(".history");
    this.toggleAttribute("history", false);
    if (within) /** @type {HTMLElement | null} */ (this.#root.querySelector('[data-action="history"]'))?.focus();
  }

  /** @param {Visit} visit */
  async #loadHistory(visit) {
    const { History } = await import("./history.js");
    const history = new History(visit.client, /** @type {Strings} */ (this.#strings), {
      locale: this.locale,
      onOpen: (id) => {
        visit.show(id);
        this.#closeHistory();
      },
      onDelete: (id) => {
        if (id === visit.conversation?.id) visit.show(null);
      },
      onError: (error) => this.#failed(error),
    });
    this.#panel?.element.prepend(history.element);
    return history;
  }
}

customElements.define("claw-chat", ClawChat);
