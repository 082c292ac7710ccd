import { Answer } from "./answer.js";
import { Api } from "./api.js";
import { Calls } from "./calls.js";
import { Conversation } from "./conversation.js";
import { Credentials } from "./credentials.js";
import { Emitter } from "./emitter.js";
import { ClawError } from "./errors.js";
import { Link } from "./link/link.js";
import { uuid } from "./random.js";
import { Streaming } from "./streaming.js";
import { TIMERS } from "./timers.js";

/** @import {AnyEvent, ClientOptions, ClientTool, ConversationInfo, LinkStatus, Message, Pending, Request, StreamEvent, Turn, Verdict} from "../types.js" */

export { ClawError } from "./errors.js";

/**
 * @typedef {{signal?: AbortSignal, conversationId?: string, clientMessageId?: string, deltas?: boolean,
 *   tools?: boolean, ifBusy?: Request["ifBusy"], onDisconnect?: Request["onDisconnect"],
 *   context?: Request["context"]}} ChatOptions
 *   `deltas` (or `tools`): also the raw fragments of tool calls
 * @typedef {{[Type in AnyEvent["type"]]: Extract<AnyEvent, {type: Type}>} & {
 *   snapshot: import("../types.js").Snapshot, event: StreamEvent, connection: LinkStatus, problem: ClawError}} ClientEvents
 */

/** @typedef {{api: Api, link: Link, calls: Calls}} Door */

/**
 * Talks to an agent: over one WebSocket, or event streams where there can be none, and comes back
 * after every drop without losing anything. See docs/javascript.md.
 * @extends {Emitter<ClientEvents>}
 */
export class ClawClient extends Emitter {
  #options;
  /** A connection speaks with one agent. @type {Map<string, Door>} */
  #doors = new Map();
  #closed = false;
  /** @type {ClientTool[]} */
  #tools;
  /** @type {Set<Conversation>} */
  #conversations = new Set();

  /** @param {ClientOptions} options */
  constructor(options) {
    super();
    const { url, agentId = "", transport = "auto" } = options;
    const { fetch = globalThis.fetch, WebSocket = globalThis.WebSocket, timers = TIMERS } = options;
    if (transport === "websocket" && !WebSocket) {
      throw new ClawError("invalid_message", "There is no WebSocket here: give one, such as that of `ws`.");
    }
    const credentials = new Credentials(options);
    this.#tools = options.tools ?? [];
    this.#options = { url, agentId, credentials, fetch, timers, transport, WebSocket };
  }

  /** `idle`, `connecting`, `online`, `reconnecting` or `offline`. */
  get status() {
    return this.#online?.status ?? "idle";
  }

  /** How it is connected at the moment: `websocket`, `sse`, or null. */
  get transport() {
    return this.#online?.transport ?? null;
  }

  /** The tools that the agent may call here, for messages from now on. @returns {ClientTool[]} */
  get tools() {
    return this.#tools;
  }

  set tools(tools) {
    this.#tools = tools;
    for (const { calls } of this.#doors.values()) calls.tools = tools;
  }

  chat = {
    /**
     * The whole answer. Rejects with a ClawError if it failed.
     * @param {string | null | undefined | Turn[]} first The agent, or, for the client's own, what is said
     * @param {string | Turn[] | ChatOptions} [second]
     * @param {ChatOptions} [third]
     */
    send: async (first, second, third) => whole(this.chat.stream(first, second, third)),

    /**
     * The answer as it comes. `chat.stream(agentId, messages, options)`, or without the agent.
     * @param {string | null | undefined | Turn[]} first
     * @param {string | Turn[] | ChatOptions} [second]
     * @param {ChatOptions} [third]
     * @returns {Answer}
     */
    stream: (first, second, third) => {
      const named = typeof second === "string" || Array.isArray(second);
      const agentId = named ? /** @type {string | null} */ (first) : null;
      const said = named ? second : /** @type {string | Turn[]} */ (first);
      const options = (named ? third : /** @type {ChatOptions} */ (second)) ?? {};
      return this.#ask(said, agentId, options);
    },
  };

  conversations = {
    /** @param {{before?: string, limit?: number}} [query] @returns {Promise<{conversations: ConversationInfo[], nextCursor: string | null}>} */
    list: (query) => this.#json("GET", "", { query }),
    /** @param {{id?: string, title?: string}} [fields] @returns {Promise<ConversationInfo>} */
    create: (fields = {}) => this.#json("POST", "", { body: fields, headers: { "Idempotency-Key": uuid() } }),
    /** @param {string} id @returns {Promise<ConversationInfo>} */
    get: (id) => this.#json("GET", path(id)),
    /** @param {string} id @param {string} title @returns {Promise<ConversationInfo>} */
    rename: (id, title) => this.#json("PATCH", path(id), { body: { title } }),
    /** @param {string} id @returns {Promise<null>} */
    delete: (id) => this.#json("DELETE", path(id)),
    /** @param {string} id @param {{before?: string, after?: string, limit?: number}} [query] @returns {Promise<{messages: Message[], nextCursor: string | null}>} */
    messages: (id, query) => this.#json("GET", `${path(id)}/messages`, { query }),
    /** How somebody found it, from 1 to 5; null takes it back. @param {string} id @param {number | null} rating @param {string} [comment] @returns {Promise<ConversationInfo>} */
    rate: (id, rating, comment) => this.#json("PUT", `${path(id)}/rating`, { body: { rating, comment } }),
    /** Sent by mail, if the agent does that (`transcriptEmail`). @param {string} id @param {string} email @returns {Promise<null>} */
    mail: (id, email) => this.#json("POST", `${path(id)}/transcript`, { body: { email } }),
    /**
     * As `chat.stream` in this conversation; its events also have the names `token` and `usage.total`.
     * @param {{conversationId: string, content: string} & ChatOptions} asked
     */
    sendMessageStream: ({ conversationId, content, ...options }) =>
      this.#ask(content, null, { ...options, conversationId }, renamed),
  };

  agents = {
    /** Needs a key with `agents:write`. @param {Record<string, any> & {name: string}} fields @returns {Promise<Record<string, any> & {id: string}>} */
    create: (fields) =>
      this.#door().api.json("POST", "/api/agents", { body: fields, headers: { "Idempotency-Key": uuid() } }),
  };

  /** The organisation's pipelines. */
  streaming = new Streaming(() => this.#door().api);

  messages = {
    /** A reader's opinion of an answer; null takes it back. @param {string} id @param {"up" | "down" | null} rating @param {string} [comment] @returns {Promise<Message>} */
    rate: (id, rating, comment) =>
      this.#door().api.json("PUT", `/api/messages/${encodeURIComponent(id)}/feedback`, { body: { rating, comment } }),
    /** The versions of a user's message before its edits, each with its answer; oldest first. @param {string} id @param {{before?: string, limit?: number}} [query] @returns {Promise<{messages: Message[], nextCursor: string | null}>} */
    versions: (id, query) => this.#door().api.json("GET", `/api/messages/${encodeURIComponent(id)}/versions`, { query }),
  };

  /** Write to the people behind the agent: webhooks with `contact:message` get it, else it is `not_found`. @param {{email: string, message: string, name?: string, page?: string}} message @returns {Promise<null>} */
  contact(message) {
    return this.#door().api.json("POST", "/api/contact-messages", { body: message });
  }

  /** A live chat, see `Conversation`. @param {{agentId?: string, conversationId?: string | null, messages?: Message[]}} [options] */
  conversation({ agentId, ...options } = {}) {
    const conversation = new Conversation({ ...this.#door(agentId), ...options });
    this.#conversations.add(conversation);
    conversation.on("closed", () => this.#conversations.delete(conversation));
    return conversation;
  }

  /** Decide about a tool call that waits for approval; see `pending`. @param {string} runId @param {Pending} call @param {Verdict} verdict */
  approve(runId, call, verdict) {
    return this.#door().api.approve(runId, call, verdict);
  }

  /** Answer a question of the agent. @param {string} runId @param {string} id @param {string} text */
  answer(runId, id, text) {
    return this.#door().api.answer(runId, id, text);
  }

  /** Leave a question of the agent without an answer. @param {string} runId @param {string} id */
  decline(runId, id) {
    return this.#door().api.decline(runId, id);
  }

  /** Give the result of a tool that is carried out here. @param {string} runId @param {string} id @param {unknown} result @param {{isError?: boolean}} [options] */
  toolResult(runId, id, result, { isError = false } = {}) {
    return this.#door().api.toolResult(runId, id, result, isError);
  }

  /** Stop a run, or everything that was asked here. @param {string} [runId] */
  async cancel(runId) {
    const followed = [...this.#doors.values()].filter(({ link }) => link.cancelAll(runId));
    if (runId && !followed.length) await this.#door().api.stopRun(runId);
  }

  /** The end: it leaves no timer and no socket. Answers go on being produced. */
  close() {
    this.#closed = true;
    for (const conversation of this.#conversations) conversation.close();
    for (const { api, link, calls } of this.#doors.values()) {
      calls.close();
      link.close();
      api.close();
    }
  }

  get #online() {
    const links = [...this.#doors.values()].map(({ link }) => link);
    return links.find(({ status }) => status !== "idle");
  }

  /** The connection to an agent, the client's own if none is named. @param {string | null} [agentId] @returns {Door} */
  #door(agentId) {
    const name = agentId || this.#options.agentId;
    const known = this.#doors.get(name);
    if (known) return known;
    if (this.#closed) throw new ClawError("closed", "This client is closed.");
    const options = { ...this.#options, agentId: name || undefined };
    const api = new Api(options);
    const onProblem = (/** @type {ClawError} */ error) => void this.emit("problem", error);
    const calls = new Calls(this.#tools, { api, timers: options.timers, onProblem });
    const link = new Link({ ...options, api, calls });
    link.on("event", (event) => {
      calls.hear(event);
      this.emit("event", event);
      this.emit(event.type, /** @type {any} */ (event));
    });
    link.on("status", (status) => this.emit("connection", status));
    link.on("error", onProblem);
    const door = { api, link, calls };
    this.#doors.set(name, door);
    return door;
  }

  /** @param {string | Turn[]} said @param {string | null} agentId @param {ChatOptions} options @param {(event: StreamEvent) => StreamEvent} [rename] */
  #ask(said, agentId, options, rename) {
    const { signal, clientMessageId = uuid(), context, ifBusy, onDisconnect } = options;
    const deltas = options.deltas || options.tools || undefined;
    /** @type {Request} */
    const request = { clientMessageId, context, deltas, onDisconnect };
    if (typeof said === "string") {
      // A name of its own: what is asked twice after a drop begins one conversation, not two.
      Object.assign(request, { content: said, conversationId: options.conversationId ?? uuid(), ifBusy });
    } else {
      request.messages = said;
    }
    return new Answer(this.#door(agentId).link, request, { signal, rename });
  }

  /** @param {string} method @param {string} path @param {import("./api.js").Call} [call] */
  #json(method, path, call) {
    return this.#door().api.json(method, `/api/conversations${path}`, call);
  }
}

/** @param {string} id */
function path(id) {
  return `/${encodeURIComponent(id)}`;
}

/** @param {Answer} answer */
async function whole(answer) {
  for await (const event of answer) {
    if (event.type === "error") throw ClawError.of({ ...event, details: { ...event } });
  }
  const { message, conversationId, runId } = answer;
  if (!message) throw new ClawError("closed", "This client was closed.");
  if (message.error) throw ClawError.of({ ...message.error, details: { content: message.content } });
  const { content, id: messageId, usage, stopReason } = message;
  return { content, conversationId, messageId, runId, usage, stopReason };
}

/** The names of the conversation route. @param {StreamEvent} event @returns {StreamEvent} */
function renamed(event) {
  if (event.type === "token") return { ...event, token: event.content };
  if (!("usage" in event) || !event.usage) return event;
  return { ...event, usage: { ...event.usage, total: event.usage.totalTokens } };
}
