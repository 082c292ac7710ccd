import { ClawClient } from "./client.js";
import { Session } from "./session.js";
import { Storage } from "./storage.js";

/** @import {Conversation} from "./conversation.js" */
/** @import {Identity} from "./session.js" */

/**
 * One visitor with one agent: who they are, what they had open, and the conversation that they are
 * in. It outlives the page in the browser's storage.
 */
export class Visit {
  /** @type {Conversation | null} */
  conversation = null;
  #session;
  #onConversation;
  #unwatch;
  /** The conversation in which something was said last, here or in another tab. */
  #begun;

  /**
   * @param {{base: string, identity: () => Identity, onConversation: (conversation: Conversation) => void}} options
   *   `base` is the agent's address (`https://host/a/my-agent`); `onConversation` gets each
   *   conversation before it is opened
   */
  constructor({ base, identity, onConversation }) {
    this.storage = new Storage(`claw:${base}`);
    this.#session = new Session({ base, storage: this.storage, identity });
    this.client = new ClawClient({ url: base, getToken: this.#session.getToken });
    this.#onConversation = onConversation;
    this.#begun = this.storage.get("begun");
    this.#unwatch = this.storage.watch(() => this.#followOtherTab());
  }

  /** The agent as visitors see it, and the conversation of last time. Rejects with a ClawError. */
  async open() {
    const agent = await this.#session.open();
    this.show(this.storage.get("conversationId") ?? null);
    return agent;
  }

  /** Go to a conversation; null is a new one. @param {string | null} id */
  show(id) {
    this.conversation?.close();
    this.conversation = this.client.conversation({ conversationId: id });
    this.storage.set("conversationId", id ?? undefined);
    // Other tabs are told when the server knows it: before, they would find nothing.
    this.conversation.on("event", (event) => {
      if (event.type === "run_started") this.storage.set("begun", event.conversationId);
    });
    this.#onConversation(this.conversation);
    void this.conversation.open();
  }

  /** @param {string} text @param {string} [replaces] the id of a user's message */
  send(text, replaces) {
    if (!this.conversation) return;
    void this.conversation.send(text, { replaces });
    this.storage.set("conversationId", this.conversation.id);
  }

  close() {
    this.#unwatch();
    this.client.close();
  }

  /** Another tab has begun a conversation while this one has none. */
  #followOtherTab() {
    const id = this.storage.get("begun");
    if (id === this.#begun) return;
    this.#begun = id;
    if (id && this.conversation && !this.conversation.id) this.show(id);
  }
}
