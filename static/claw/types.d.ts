// What the client has beside the types of the protocol; nothing of this is loaded at run time.

import type * as protocol from "./protocol.js";
import type { AnyEvent, Cancelled, Failed, MessageComplete } from "./protocol.js";

export * from "./protocol.js";

// What the client adds to what the server says.
declare module "./protocol.js" {
  interface Usage {
    /** Only of `conversations.sendMessageStream`: the same as `totalTokens`. */
    total?: number;
  }
  interface Token {
    /** `ttft` with the first token only. */
    metrics?: { ttft?: number; tokenCount: number };
    /** Only of `conversations.sendMessageStream`: the same as `content`. */
    token?: string;
  }
  interface Metrics {
    ttft?: number | null;
  }
}

/** What was measured here, from `send()` on. `ttft` in milliseconds. */
export type Metrics = { ttft: number | null; tokenCount: number; tokensPerSecond: number | null };

export type ErrorBody = {
  code: string;
  message: string;
  retryable?: boolean;
  retryAfter?: number;
  details?: Record<string, any>;
};

export type Outcome = MessageComplete | Cancelled | Failed;

/** A snapshot; its message is the client's own. */
export interface Snapshot extends Omit<protocol.Snapshot, "message" | "status"> {
  status: string;
  message: Message;
  /** Never there; it makes a snapshot readable beside events. */
  seq?: undefined;
}
/** What a stream yields: events, and a snapshot where what came before it is to be replaced. */
export type StreamEvent = AnyEvent | Snapshot;

/** A message of the history; `streaming` and the statuses `sending` and `failed` are ours. */
export interface Message extends Omit<protocol.Message, "status" | "error" | "createdAt" | "feedback"> {
  status: string;
  error: ErrorBody | null;
  createdAt?: string;
  feedback?: protocol.Feedback | null;
  streaming?: boolean;
  /** The server has asked to wait: it is sent again then, in milliseconds since 1970. `error` says why. */
  retryAt?: number;
  /** It is shown in place of what came in its place, and so many versions there are. */
  versions?: number;
  /** What the agent was doing last. */
  progress?: protocol.Progress | null;
  /** What it needs of somebody before it goes on. */
  pending?: protocol.Pending[];
}

/** A decision about a tool call. `args`: other arguments, where the call is `editable`. */
export type Verdict = { approve: boolean; reason?: string; args?: Record<string, any>; always?: "conversation" | "agent" };

export type ConversationInfo = {
  id: string;
  agentId: string;
  title: string;
  createdAt: string;
  lastMessageAt: string;
  rating?: { rating: number; comment?: string };
};

export type Turn = { role: "user" | "assistant"; content: string };

/** A tool that this page or program carries out, in words for the model and JSON Schema. */
export type ClientTool = {
  /** Letters, digits, hyphens and underscores. */
  name: string;
  description?: string;
  /** Of an object. */
  inputSchema?: Record<string, any>;
  /** It only reads, or does the same a second time: a call that a reload has cut goes on. */
  repeatable?: boolean;
  /** Carry out a call; what it returns, or resolves with, is the result. `signal`: the answer has ended. */
  call(args: Record<string, any>, about: { id: string; runId: string; signal: AbortSignal }): unknown;
};

/** What is asked: `content` in a conversation, or an own history in `messages`. */
export type Request = {
  content?: string;
  messages?: Turn[];
  conversationId?: string;
  clientMessageId: string;
  ifBusy?: "queue" | "reject" | "interrupt" | "steer";
  onDisconnect?: "continue" | "cancel";
  deltas?: boolean;
  replaces?: string;
  /** The page that it was written on, which the model is told as data; at most 16 KiB of JSON. */
  context?: protocol.PageContext;
  tools?: Omit<ClientTool, "call" | "repeatable">[];
};

export type LinkStatus = "idle" | "connecting" | "online" | "reconnecting" | "offline";

/** What happened to `Conversation.messages`. */
export type Change =
  | { kind: "append"; message: Message; text: string }
  | { kind: "message"; message: Message }
  | { kind: "reset" };

export type Timers = {
  setTimeout(run: () => void, ms: number): any;
  clearTimeout(timer: any): void;
  /** Milliseconds, from any moment on. */
  now(): number;
};

/** As much of a WebSocket as is used: a browser's, or that of the package `ws`. */
export type Socket = {
  readyState: number;
  onopen: ((event: any) => void) | null;
  onmessage: ((event: any) => void) | null;
  onclose: ((event: any) => void) | null;
  onerror: ((event: any) => void) | null;
  send(data: string): void;
  close(code?: number): void;
};

export type ClientOptions = {
  /** Such as `https://host/a/my-agent`, or `https://host` with an `agentId`. */
  url: string;
  agentId?: string;
  /** An API key (not in a browser) or a JWT. */
  token?: string;
  /** Another name of `token`. */
  apiKey?: string;
  /** Asked for a token at first, and again with `expired: true` when the server says so. */
  getToken?: (about: { expired: boolean }) => string | Promise<string>;
  /** `auto`: a WebSocket, and an event stream where there can be none. */
  transport?: "auto" | "websocket" | "sse";
  fetch?: typeof globalThis.fetch;
  WebSocket?: new (url: string) => Socket;
  timers?: Timers;
  /** What the agent can have done here. */
  tools?: ClientTool[];
};

export type EventSourceOptions = Pick<ClientOptions, "token" | "apiKey" | "getToken" | "fetch" | "timers"> & {
  headers?: Record<string, string>;
  /** Attempts in a row that may fail; `Infinity` for a page that stays open. 5. */
  maxAttempts?: number;
  /** Milliseconds after which a silent stream counts as lost. 45 000: our server speaks every 15 s. */
  maxSilence?: number;
  /** Go on after this event. */
  lastEventId?: string;
};
