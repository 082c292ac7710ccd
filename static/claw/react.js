import { createContext, useContext, useEffect, useMemo, useRef, useSyncExternalStore } from "react";

/** @import {ClawClient} from "./client/client.js" */
/** @import {Conversation} from "./client/conversation.js" */
/** @import {ClawError} from "./client/errors.js" */
/** @import {LinkStatus, Message, PageContext, Pending, ToolCall, Verdict} from "./types.js" */

/**
 * @typedef {{client?: ClawClient, conversationId?: string | null, onToolCall?: (call: ToolCall) => void}} ChatOptions
 * @typedef {{messages: Message[], isStreaming: boolean, ttft: number | null,
 *   tokensPerSecond: number | null, status: LinkStatus, conversationId: string | null,
 *   hasOlder: boolean, isLoading: boolean, pending: Pending[], error: ClawError | null}} ChatState
 *   `pending`: what the agent needs of somebody before it goes on; `error`: what went wrong last, until something is said again
 */

/** The client of everything below: `<ClawContext.Provider value={client}>`. */
export const ClawContext = createContext(/** @type {ClawClient | null} */ (null));

/**
 * A chat with an agent. It is rendered at most once a frame, however fast the tokens come.
 * @param {string} [agentId] the client's own agent if absent
 * @param {ChatOptions} [options] `conversationId`: one to go on with; `onToolCall`: told of each
 *   complete call
 */
export function useStreamingChat(agentId, { client: given, conversationId = null, onToolCall } = {}) {
  const provided = useContext(ClawContext);
  const client = given ?? provided;
  if (!client) throw new Error("Give useStreamingChat a `client`, or put a ClawContext.Provider around it.");
  const store = useMemo(() => new ChatStore(client, agentId, conversationId), [client, agentId, conversationId]);
  const told = useRef(onToolCall);
  useEffect(() => {
    told.current = onToolCall;
  });
  useEffect(() => store.open((call) => told.current?.(call)), [store]);
  const state = useSyncExternalStore(store.subscribe, store.read, store.read);
  const actions = useMemo(
    () => ({
      send: (/** @type {string} */ text, /** @type {{replaces?: string, context?: PageContext}} */ options) => store.send(text, options),
      cancel: () => store.conversation.cancel(),
      retry: () => store.retry(),
      loadOlder: () => store.loadOlder(),
      approve: (/** @type {string} */ id, /** @type {Verdict} */ verdict) => store.conversation.approve(id, verdict),
      answer: (/** @type {string} */ id, /** @type {string} */ text) => store.conversation.answer(id, text),
      decline: (/** @type {string} */ id) => store.conversation.decline(id),
      newConversation: () => store.begin(),
    }),
    [store],
  );
  return { ...state, ...actions };
}

/** A conversation as React wants it: a state that is another object when something changed. */
class ChatStore {
  #client;
  #agentId;
  #conversationId;
  /** Not begun by rendering, which React may do for nothing. @type {Conversation | null} */
  #conversation = null;
  #mounted = 0;
  /** @type {(call: ToolCall) => void} */
  #onToolCall = () => {};
  /** @type {ChatState} */
  #state;
  /** @type {ClawError | null} */
  #error = null;
  /** A user's message gets another id when the server has it; here it keeps its first. @type {WeakMap<Message, string>} */
  #ids = new WeakMap();
  /** Copies that were handed out, until their message changes. @type {WeakMap<Message, Message>} */
  #copies = new WeakMap();
  /** @type {Set<() => void>} */
  #listeners = new Set();
  /** @type {any} */
  #frame = null;

  /** @param {ClawClient} client @param {string | undefined} agentId @param {string | null} conversationId */
  constructor(client, agentId, conversationId) {
    this.#client = client;
    this.#agentId = agentId;
    this.#conversationId = conversationId;
    const { status } = client;
    const none = { ttft: null, tokensPerSecond: null, error: null, hasOlder: false, pending: [] };
    this.#state = { messages: [], isStreaming: false, isLoading: !!conversationId, ...none, status, conversationId };
  }

  /** From when the component is there until it is gone. @param {(call: ToolCall) => void} onToolCall */
  open(onToolCall) {
    this.#onToolCall = onToolCall;
    this.#mounted += 1;
    void this.conversation.open();
    return () => {
      this.#mounted -= 1;
      queueMicrotask(() => this.#mounted || this.#close()); // in development React mounts twice
    };
  }

  /** @param {string} text @param {{replaces?: string, context?: PageContext}} [options] `replaces`: the id of a message, as it is shown */
  send(text, { replaces, context } = {}) {
    this.#error = null;
    const replaced = this.conversation.messages.find((message) => this.#idOf(message) === replaces);
    return this.conversation.send(text, { replaces: replaced?.id ?? replaces, context });
  }

  retry() {
    this.#error = null;
    return this.conversation.retry();
  }

  /** The page before the first message. Never rejects: what went wrong is `error`. */
  async loadOlder() {
    try {
      await this.conversation.loadOlder();
    } catch (problem) {
      this.#failed(/** @type {ClawError} */ (problem));
    }
  }

  /** Leave this conversation for a new one. */
  begin() {
    this.#close();
    this.#conversationId = this.#error = null;
    this.#plan();
  }

  get conversation() {
    if (this.#conversation) return this.#conversation;
    const [agentId, conversationId] = [this.#agentId, this.#conversationId];
    const conversation = this.#client.conversation({ agentId, conversationId });
    conversation
      .on("change", (change) => {
        this.#conversationId = conversation.id;
        if (change.kind === "reset") this.#copies = new WeakMap();
        else this.#copies.delete(change.message);
        this.#plan();
      })
      .on("status", () => this.#plan())
      .on("error", (error) => this.#failed(error))
      .on("event", (event) => event.type === "tool_call" && this.#onToolCall(event));
    this.#conversation = conversation;
    return conversation;
  }

  /** @param {ClawError} error */
  #failed(error) {
    this.#error = error;
    this.#plan();
  }

  #close() {
    this.#conversation?.close();
    this.#conversation = null;
    cancelFrame(this.#frame);
    this.#frame = null;
  }

  subscribe = (/** @type {() => void} */ listener) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  read = () => this.#state;

  #plan() {
    this.#frame ??= nextFrame(() => {
      this.#frame = null;
      this.#state = this.#take(this.conversation);
      for (const listener of this.#listeners) listener();
    });
  }

  /** @param {Conversation} conversation @returns {ChatState} */
  #take({ messages, isStreaming, isLoading, hasOlder, pending, metrics, status, id }) {
    const { ttft, tokensPerSecond } = metrics;
    const copies = messages.map((message) => this.#copy(message));
    const more = { isLoading, hasOlder, pending, error: this.#error };
    return { messages: copies, isStreaming, ttft, tokensPerSecond, status, conversationId: id, ...more };
  }

  /** @param {Message} message */
  #idOf(message) {
    const id = this.#ids.get(message) ?? message.id;
    this.#ids.set(message, id);
    return id;
  }

  /** @param {Message} message */
  #copy(message) {
    const copy = this.#copies.get(message) ?? { ...message, id: this.#idOf(message) };
    this.#copies.set(message, copy);
    return copy;
  }
}

/** Without frames (in Node.js) a short while does. @param {() => void} run */
function nextFrame(run) {
  return typeof requestAnimationFrame === "function" ? requestAnimationFrame(run) : setTimeout(run, 16);
}

/** @param {any} frame */
function cancelFrame(frame) {
  if (frame === null) return;
  if (typeof cancelAnimationFrame === "function") cancelAnimationFrame(frame);
  else clearTimeout(frame);
}
