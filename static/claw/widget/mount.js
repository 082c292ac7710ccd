import { make } from "./dom/elements.js";
import { Place } from "./dom/place.js";
import { followViewport } from "./dom/viewport.js";
import { Drawer } from "./history/drawer.js";
import { direction, strings } from "./locales/strings.js";
import { load } from "./message/body.js";
import { paint } from "./message/paint.js";
import { begin } from "./options/options.js";
import { Looks } from "./panel/looks.js";
import { Panel } from "./panel/panel.js";
import { sheet } from "./styles/sheet.js";
import { Visit } from "./visit/visit.js";

/** @import {ClawChat} from "./chat.js" */
/** @import {Conversation} from "../client/conversation.js" */
/** @import {AgentGreeting} from "../types.js" */
/** @import {Strings} from "./locales/strings.js" */
/** @import {Parts} from "./options/options.js" */
/** @import {Settings} from "./settings.js" */
/** @import {Identity} from "./visit/session.js" */

/**
 * @typedef {{settings: Settings, identity: () => Identity, takePrefill: () => string, onReady: () => void,
 *   tell: (name: string, detail?: object) => boolean}} MountOptions
 *   `takePrefill`: what the page wants in the composer, once; `tell` sends an event of the element,
 *   and says whether the page let it be
 */

/**
 * A chat that stands on the page with the attributes that its element has now: the visit, and what
 * is seen of it. When one of those changes, another mount takes its place.
 */
export class Mount {
  visit;
  /** @type {Panel | null} */
  panel = null;
  /** @type {Drawer | null} */
  history = null;
  /** Of a floating chat. @type {Place | null} */
  place = null;
  #host;
  #root;
  #options;
  #over = false;
  #looks = new Looks();
  #frame = make("div", { class: "chat" });
  #unfollow = () => {};
  /** Ends what the settings have asked for. */
  #endOptions = () => {};
  /** All of it, with what the settings ask for. @type {Parts | null} */
  #parts = null;
  /** The work that waits for the parts. @type {((parts: Parts) => void)[]} */
  #awaited = [];

  /** @param {ClawChat} host @param {ShadowRoot} root @param {MountOptions} options */
  constructor(host, root, options) {
    this.#host = host;
    this.#root = root;
    this.#options = options;
    this.visit = new Visit({
      base: host.base,
      identity: options.identity,
      onConversation: (conversation) => this.#follow(conversation),
      onWait: ({ code }, until) => this.panel?.notices.complain(code, until),
    });
  }

  /** Stand on the page, and greet. What goes wrong is told. */
  start() {
    this.#stand().catch((error) => this.#over || this.failed(error));
  }

  stop() {
    this.#over = true;
    this.visit.close();
    this.#endOptions();
    this.panel?.stop();
    this.place?.stop();
    this.#unfollow();
    this.#root.replaceChildren();
  }

  /** The attribute says whether it is open, whoever has set it. @param {boolean} open */
  opened(open) {
    const { panel, visit } = this;
    if (!panel) return;
    if (open) {
      this.#host.toggleAttribute("unread", false);
      visit.storage.set("unread", undefined);
      void this.connect(!!navigator.userActivation?.isActive);
    }
    if (this.place) this.place.open = open;
    panel.launcher.show(open, this.#host.hasAttribute("unread"));
  }

  /** Show the conversation of last time, or a new one. @param {boolean} begin whether the visitor has done something */
  async connect(begin) {
    try {
      await this.visit.open(begin);
      if (!this.#over) this.panel?.notices.reached();
    } catch (error) {
      if (!this.#over) this.failed(error);
    }
  }

  /** Tell the page and the reader. @param {unknown} error */
  failed(error) {
    const { code = "other" } = /** @type {{code?: string}} */ (error);
    this.#options.tell("claw:error", { code, error });
    if (code === "conversation_not_found") {
      // It was deleted, here or elsewhere. The reader who deletes it in the history stays there.
      return this.history?.opened ? this.visit.show(null) : this.#host.newConversation();
    }
    // A refused message shows its error beside its text.
    const told = this.visit.messages.some(({ status, error: own }) => status === "failed" && own?.code === code);
    if (told) this.panel?.notices.sound(code);
    else this.panel?.notices.complain(code);
  }

  /** Whether all that the settings ask for is there. */
  get ready() {
    return this.#parts !== null;
  }

  /** Show colours, sizes and place as the settings are now. */
  dress() {
    this.#looks.dress(this.#frame, this.#options.settings);
  }

  /** Do something with all its parts, once they are there. @param {(parts: Parts) => void} act */
  showing(act) {
    if (this.#parts) act(this.#parts);
    else this.#awaited.push(act);
  }

  async #stand() {
    const host = this.#host;
    const { settings } = this.#options;
    const greeting = this.visit.greet();
    greeting.catch(() => {}); // it is waited for below
    const [texts, style] = await Promise.all([strings(host.locale, settings.get("texts")), sheet("chat")]);
    if (this.#over) return; // taken out of the page, or changed, meanwhile
    this.#root.adoptedStyleSheets = [style, this.#looks.sheet];
    if (!host.floating) this.#show(this.#build(texts), texts); // there is no button without a chat
    const agent = await greeting;
    if (this.#over) return;
    settings.agent = agent.widget ?? {};
    await this.#greet(agent, texts);
  }

  /** @param {AgentGreeting} agent @param {Strings} texts */
  async #greet(agent, texts) {
    const host = this.#host;
    const { settings } = this.#options;
    const own = settings.agent.texts && (await strings(host.locale, settings.get("texts")));
    if (!this.panel || own) this.#show(this.#build(own || texts), own || texts);
    const panel = /** @type {Panel} */ (this.panel);
    this.dress();
    panel.introduce(agent);
    panel.notices.complain("");
    const parts = { host, root: this.#root, frame: this.#frame, settings, panel, visit: this.visit, tell: this.#options.tell };
    this.#endOptions = await begin(parts);
    if (this.#over) return this.#endOptions();
    this.#parts = parts;
    for (const act of this.#awaited.splice(0)) act(parts);
    this.#options.onReady();
  }

  /** @param {Strings} texts */
  #build(texts) {
    const { visit } = this;
    const host = this.#host;
    const panel = new Panel(texts, {
      draft: this.#options.takePrefill() || (this.panel?.composer.draft ?? visit.storage.get("draft") ?? ""),
      name: host.getAttribute("name"),
      greeting: host.getAttribute("greeting"),
      floating: host.floating,
      settings: this.#options.settings,
      onSend: (text, replaces) => host.send(text, replaces),
      onDraft: (draft) => {
        if (draft) {
          visit.prepare();
          void load().catch(() => {}); // the first message asks again
        }
        visit.storage.set("draft", draft || undefined);
      },
      onCode: (block) => void paint(block),
    });
    this.history = new Drawer(host, panel, visit, {
      ...{ strings: texts, locale: host.locale },
      onError: (error) => this.failed(error),
    });
    return panel;
  }

  /** @param {Panel} panel @param {Strings} texts */
  #show(panel, texts) {
    const host = this.#host;
    const { visit } = this;
    const dir = host.getAttribute("dir") || direction(host.locale);
    this.#frame.dir = dir;
    this.#frame.lang = texts.lang;
    this.#frame.replaceChildren(panel.launcher.element, panel.element);
    this.#root.replaceChildren(this.#frame);
    this.panel?.stop();
    this.#unfollow();
    this.panel = panel;
    this.dress();
    panel.start();
    if (host.floating) this.#settle(panel);
    else this.#unfollow = followViewport(panel.element);
    if (visit.conversation) panel.show(visit.conversation);
    if (visit.storage.get("unread")) host.toggleAttribute("unread", true);
    if (visit.awaiting) void this.connect(true);
    this.#options.tell("claw:ready");
    // Without taking the focus from the page; on a small screen not over the page that one has gone to.
    const open = !host.floating || ((visit.storage.get("open") || host.hasAttribute("open")) && !Place.narrow);
    if (open === host.hasAttribute("open")) this.opened(open);
    else host.toggleAttribute("open", open);
  }

  /** @param {Panel} panel */
  #settle(panel) {
    const dialog = /** @type {HTMLDialogElement} */ (panel.element);
    this.place = new Place(dialog, panel.launcher.element, () => this.#host.close());
    this.place.start();
  }

  /** @param {Conversation} conversation */
  #follow(conversation) {
    this.panel?.show(conversation);
    conversation
      .on("change", (change) => this.panel?.apply(change))
      .on("status", (status) => this.panel?.notices.connection(status))
      .on("delayed", ({ error, until }) => this.panel?.notices.complain(error.code, until))
      .on("error", (error) => this.failed(error))
      .on("event", (event) => {
        this.panel?.notices.event(event, conversation.messages);
        this.#options.tell("claw:event", event);
        if (event.type === "done") this.#answered(conversation, event.messageId);
      });
  }

  /** @param {Conversation} conversation @param {string} id */
  #answered(conversation, id) {
    if (!this.#host.hasAttribute("open")) {
      this.#host.toggleAttribute("unread", true);
      this.visit.storage.set("unread", true);
      this.panel?.launcher.show(false, true);
    }
    const message = conversation.messages.find((each) => each.id === id);
    if (message) this.#options.tell("claw:message", { message });
  }
}
