import { ClawClient } from "../../client/client.js";
import { insist, request } from "./request.js";
import { Session } from "./session.js";
import { Storage } from "./storage.js";

/** @import {Conversation} from "../../client/conversation.js" */
/** @import {ClawError} from "../../client/errors.js" */
/** @import {AgentGreeting, Message, PageContext} from "../../types.js" */
/** @import {Identity} from "./session.js" */

/**
 * @typedef {{base: string, identity: () => Identity, onConversation: (conversation: Conversation) => void,
 *   onWait: (error: ClawError, until: number) => void}} VisitOptions
 *   `base` is the agent's address (`https://host/a/my-agent`); `onConversation` gets each conversation
 *   before it is opened; `onWait` is told why the server is asked again, and when
 */

/**
 * One visitor with one agent: who they are, what they had open, and the conversation that they are
 * in. It outlives the page in the browser's storage, in which nothing is written before the visitor
 * does something.
 */
export class Visit {
  /** @type {Conversation | null} */
  conversation = null;
  #base;
  #session;
  #onConversation;
  #onWait;
  #unwatch;
  /** The conversation in which something was said last, here or in another tab. */
  #begun;
  /** Whether `open` has done its work, or is about to. */
  opened = false;
  #closed = false;
  /** Makes the description of the page that goes with a message. @type {() => PageContext | undefined} */
  context = () => undefined;
  /** The messages from before there was a conversation. @type {[text: string, replaces?: string][]} */
  #unsaid = [];

  /** @param {VisitOptions} options */
  constructor({ base, identity, onConversation, onWait }) {
    this.#base = base;
    this.storage = new Storage(`claw:${base}`);
    this.#session = new Session({ base, storage: this.storage, identity });
    this.client = new ClawClient({ url: base, getToken: this.#session.getToken });
    this.#onConversation = onConversation;
    this.#onWait = onWait;
    this.#begun = this.storage.get("begun");
    this.#unwatch = this.storage.watch(() => this.#followOtherTab());
  }

  /** The messages, as the API's history has them. @returns {Message[]} */
  get messages() {
    return (this.conversation?.messages ?? []).map((message) => {
      const { streaming, progress, pending, retryAt, clientMessageId, ...said } = message;
      return said;
    });
  }

  /** The agent as visitors see it, as soon as it can be had. Rejects with a ClawError. @returns {Promise<AgentGreeting>} */
  greet() {
    return this.#insist(() => request(this.#base, "greeting"));
  }

  /**
   * Show the conversation of last time, or a new one. Rejects with a ClawError.
   * @param {boolean} begin whether to begin the session also where nothing was said before
   */
  async open(begin) {
    if (this.opened) return;
    this.opened = true;
    const known = this.storage.get("conversationId");
    const visitor = this.storage.get("visitorId");
    try {
      if (!known && !this.conversation) this.show(null);
      if (!known && !begin) return;
      await this.#insist(() => this.#session.begin());
      // Another visitor may have come with the session, to whom the conversation does not belong.
      if (known) this.show(visitor === this.storage.get("visitorId") ? known : null);
    } catch (error) {
      this.opened = false;
      throw error;
    }
  }

  /** Something will soon be said: have the session and the connection ready. */
  prepare() {
    this.conversation?.prepare();
  }

  /** Go to a conversation; null is a new one. @param {string | null} id */
  show(id) {
    if (this.#closed) return;
    this.conversation?.close();
    this.conversation = this.client.conversation({ conversationId: id });
    this.storage.set("conversationId", id ?? undefined);
    if (!id) this.storage.set("awaiting", undefined);
    this.conversation.on("event", (event) => {
      // Other tabs are told when the server knows it: before, they would find nothing.
      if (event.type === "run_started") this.storage.set("begun", event.conversationId);
      if (event.type === "done") this.storage.set("awaiting", undefined);
    });
    this.#onConversation(this.conversation);
    void this.conversation.open();
    for (const said of this.#unsaid.splice(0)) this.send(...said);
  }

  /** Also before the conversation is there: it is said then. @param {string} text @param {string} [replaces] the id of a user's message */
  send(text, replaces) {
    if (!this.conversation) return void this.#unsaid.push([text, replaces]);
    void this.conversation.send(text, { replaces, context: this.context() });
    this.storage.set("conversationId", this.conversation.id);
    this.storage.set("awaiting", true);
  }

  /** Whether an answer is awaited that was asked for on this page or an earlier one. */
  get awaiting() {
    return !!this.storage.get("awaiting");
  }

  close() {
    this.#closed = true;
    this.#unwatch();
    this.client.close();
  }

  /** @template T @param {() => Promise<T>} run */
  #insist(run) {
    return insist(run, { over: () => this.#closed, onWait: this.#onWait });
  }

  /** Another tab has begun a conversation while this one has none. */
  #followOtherTab() {
    const id = this.storage.get("begun");
    if (id === this.#begun) return;
    this.#begun = id;
    if (id && this.conversation && !this.conversation.id) this.show(id);
  }
}
