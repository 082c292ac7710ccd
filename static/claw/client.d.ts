/** What TypeScript needs to know of client.js; see docs/javascript.md. */
import type {
  AnyEvent,
  Change,
  ClientOptions,
  ClientTool,
  ConversationInfo,
  ErrorBody,
  EventSourceOptions,
  LinkStatus,
  Message,
  Metrics,
  Pending,
  Request,
  Snapshot,
  StreamEvent,
  Turn,
  Usage,
  Verdict,
} from "./types.js";

export type * from "./types.js";

/** What can go wrong; `code` is one of docs/errors.md, `retryAfter` in milliseconds. */
export class ClawError extends Error {
  constructor(
    code: string,
    message: string,
    about?: { retryable?: boolean; retryAfter?: number; details?: Record<string, any> },
  );
  code: string;
  retryable: boolean;
  retryAfter: number | undefined;
  details: Record<string, any> | undefined;
  static of(body: ErrorBody): ClawError;
  static from(problem: unknown): ClawError;
}

/** Handlers by the type of what happens. */
declare class Emitter<Events extends Record<string, any>> {
  on<Type extends keyof Events>(type: Type, handler: (value: Events[Type]) => void): this;
  off<Type extends keyof Events>(type: Type, handler: (value: Events[Type]) => void): this;
}

export type ChatOptions = {
  signal?: AbortSignal;
  conversationId?: string;
  clientMessageId?: string;
  /** Also the raw fragments of tool calls. */
  deltas?: boolean;
  /** Another name of `deltas`. */
  tools?: boolean;
  context?: Request["context"];
  ifBusy?: Request["ifBusy"];
  onDisconnect?: Request["onDisconnect"];
};

export type WholeAnswer = {
  content: string;
  conversationId: string | null;
  messageId: string;
  runId: string | null;
  usage: Usage | null;
  stopReason: string | null;
};

/** One answer as it comes. Leaving the loop leaves the answer alone, aborting the signal stops it. */
export interface Answer extends AsyncIterableIterator<StreamEvent> {
  readonly runId: string | null;
  readonly message: Message | null;
  readonly conversationId: string | null;
  cancel(): void;
  next(): Promise<IteratorResult<StreamEvent, undefined>>;
  return(): Promise<IteratorResult<StreamEvent, undefined>>;
}

export type ConversationEvents = {
  change: Change;
  status: LinkStatus;
  event: StreamEvent;
  error: ClawError;
  /** The server has asked to wait for what was said until then, in milliseconds since 1970. */
  delayed: { error: ClawError; until: number };
  closed: undefined;
};

/** A chat as a page shows it: its messages as they grow, also those of other tabs. */
export interface Conversation extends Emitter<ConversationEvents> {
  readonly id: string | null;
  readonly messages: Message[];
  readonly metrics: Metrics;
  readonly hasOlder: boolean;
  readonly status: LinkStatus;
  readonly isStreaming: boolean;
  /** Whether what was said before is still on its way. */
  readonly isLoading: boolean;
  /** What the agent needs of somebody before it goes on. */
  readonly pending: Pending[];
  approve(id: string, verdict: Verdict): Promise<unknown>;
  revoke(id: string): Promise<unknown>;
  answer(id: string, text: string): Promise<unknown>;
  /** Leaves a question without an answer. */
  decline(id: string): Promise<unknown>;
  /** The result of a tool that the page carries out. */
  toolResult(id: string, result: unknown, options?: { isError?: boolean }): Promise<unknown>;
  open(): Promise<unknown>;
  /** Connect now for what will soon be said. */
  prepare(): void;
  send(text: string, options?: { clientMessageId?: string; replaces?: string; context?: Request["context"] }): Promise<Message>;
  retry(): Promise<Message> | null;
  cancel(): void;
  loadOlder(): Promise<void>;
  close(): void;
}

export type ClientEvents = { [Type in AnyEvent["type"]]: Extract<AnyEvent, { type: Type }> } & {
  snapshot: Snapshot;
  event: StreamEvent;
  connection: LinkStatus;
  problem: ClawError;
};

/** Talks to an agent, and comes back after every drop without losing anything. */
export class ClawClient extends Emitter<ClientEvents> {
  constructor(options: ClientOptions);
  readonly status: LinkStatus;
  readonly transport: "websocket" | "sse" | null;
  /** What the agent can have done here; for what is asked from now on. */
  tools: ClientTool[];
  readonly chat: {
    send(said: string | Turn[], options?: ChatOptions): Promise<WholeAnswer>;
    send(agentId: string | null | undefined, said: string | Turn[], options?: ChatOptions): Promise<WholeAnswer>;
    stream(said: string | Turn[], options?: ChatOptions): Answer;
    stream(agentId: string | null | undefined, said: string | Turn[], options?: ChatOptions): Answer;
  };
  readonly conversations: {
    list(query?: { before?: string; limit?: number }): Promise<{
      conversations: ConversationInfo[];
      nextCursor: string | null;
    }>;
    create(fields?: { id?: string; title?: string }): Promise<ConversationInfo>;
    get(id: string): Promise<ConversationInfo>;
    rename(id: string, title: string): Promise<ConversationInfo>;
    delete(id: string): Promise<null>;
    messages(
      id: string,
      query?: { before?: string; after?: string; limit?: number },
    ): Promise<{ messages: Message[]; nextCursor: string | null }>;
    /** How somebody found it, from 1 to 5; null takes it back. */
    rate(id: string, rating: number | null, comment?: string): Promise<ConversationInfo>;
    /** Sent by mail, if the agent does that (`transcriptEmail`). */
    mail(id: string, email: string): Promise<null>;
    sendMessageStream(asked: { conversationId: string; content: string } & ChatOptions): Answer;
  };
  readonly agents: {
    create(fields: Record<string, any> & { name: string }): Promise<Record<string, any> & { id: string }>;
  };
  readonly messages: {
    rate(id: string, rating: "up" | "down" | null, comment?: string): Promise<Message>;
    /** What a user's message was before it was edited, each time with its answer; oldest first. */
    versions(
      id: string,
      query?: { before?: string; limit?: number },
    ): Promise<{ messages: Message[]; nextCursor: string | null }>;
  };
  /** Write to the people behind the agent: webhooks with `contact:message` get it, else it is `not_found`. */
  contact(message: { email: string; message: string; name?: string; page?: string }): Promise<null>;
  conversation(options?: {
    agentId?: string;
    conversationId?: string | null;
    messages?: Message[];
  }): Conversation;
  approve(runId: string, call: Pending, verdict: Verdict): Promise<unknown>;
  answer(runId: string, id: string, text: string): Promise<unknown>;
  decline(runId: string, id: string): Promise<unknown>;
  toolResult(runId: string, id: string, result: unknown, options?: { isError?: boolean }): Promise<unknown>;
  cancel(runId?: string): Promise<void>;
  close(): void;
}

/** An `EventSource` that can send headers and a token, and comes back after every drop. */
export class ReconnectingEventSource extends EventTarget {
  static readonly CONNECTING: 0;
  static readonly OPEN: 1;
  static readonly CLOSED: 2;
  constructor(url: string | URL, options?: EventSourceOptions);
  readonly url: string;
  readonly readyState: 0 | 1 | 2;
  readonly lastEventId: string;
  onopen: ((event: Event) => void) | null;
  onmessage: ((event: MessageEvent) => void) | null;
  onerror: ((event: Event & { error: ClawError; retryIn: number | null }) => void) | null;
  close(): void;
}
