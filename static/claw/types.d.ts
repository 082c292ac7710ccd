// The types of docs/protocol.md; nothing of this is loaded at run time.

export type Usage = {
  inputTokens: number;
  outputTokens: number;
  totalTokens: number;
  cost: number | null;
  model: string;
  latencyMs: number;
  ttftMs: number | null;
  tokensPerSecond: number | null;
  source: "provider" | "estimated";
  cacheReadTokens: number;
  cacheWriteTokens: number;
  reasoningTokens: number;
  /** Only of `conversations.sendMessageStream`: the same as `totalTokens`. */
  total?: number;
};

/** What was measured here, from `send()` on. `ttft` in milliseconds. */
export type Metrics = { ttft: number | null; tokenCount: number; tokensPerSecond: number | null };

export type ErrorBody = {
  code: string;
  message: string;
  retryable?: boolean;
  retryAfter?: number;
  details?: Record<string, any>;
};

type Position = { runId: string; seq: number };
type InRun = Position & { conversationId: string; messageId: string };

export type RunStarted = InRun & {
  type: "run_started";
  agentId: string;
  provider: string;
  model: string;
  userMessageId: string;
  userContent: string;
  clientMessageId?: string;
  queued?: number;
  replaces?: string;
};
export type Typing = InRun & { type: "typing"; status: "start" | "stop" };
export type Status = InRun & { type: "status"; message: string; stage: string };
export type Thinking = Position & { type: "thinking"; content: string; index: number };
export type Token = Position & {
  type: "token";
  content: string;
  index: number;
  count?: number;
  /** `ttft` with the first token only. */
  metrics?: { ttft?: number; tokenCount: number };
  /** Only of `conversations.sendMessageStream`: the same as `content`. */
  token?: string;
};
export type ToolCallDelta = Position & {
  type: "tool_call_delta";
  index: number;
  arguments: string;
  id?: string;
  name?: string;
};
export type ToolCall = InRun & {
  type: "tool_call";
  id: string;
  tool: string;
  args: Record<string, any>;
  name: string;
  arguments: Record<string, any>;
};
export type ToolResult = InRun & {
  type: "tool_result";
  id: string;
  tool: string;
  result: any;
  isError: boolean;
  durationMs: number;
};
/** No client gets it; the fixtures of the fold have it. */
export type Step = InRun & { type: "step"; stopReason: string; blocks?: object[] };
export type UsageReported = InRun & {
  type: "usage";
  inputTokens: number;
  outputTokens: number;
  cacheReadTokens: number;
  cacheWriteTokens: number;
  reasoningTokens: number;
  cost: number | null;
  source: "provider" | "estimated";
};
export type MessageComplete = InRun & {
  type: "message_complete";
  content: string;
  usage: Usage;
  stopReason: string;
};
export type Cancelled = InRun & {
  type: "cancelled";
  content: string;
  usage: Usage;
  stopReason: "cancelled";
};
export type Failed = InRun & {
  type: "error";
  code: string;
  message: string;
  retryable: boolean;
  content: string;
  usage: Usage;
  retryAfter?: number;
};
export type Done = InRun & {
  type: "done";
  reason: "complete" | "cancelled" | "error" | "interrupted" | "budget_exceeded";
  usage: Usage;
  cost: number | null;
  metrics: {
    ttftMs: number | null;
    totalMs: number;
    tokenCount: number;
    tokensPerSecond: number | null;
    ttft?: number | null;
  };
  digest: string;
  length: number;
};
export type Outcome = MessageComplete | Cancelled | Failed;
/** An event of a run, as the server numbers it. */
export type AnyEvent =
  | RunStarted
  | Typing
  | Status
  | Thinking
  | Token
  | ToolCallDelta
  | ToolCall
  | ToolResult
  | Step
  | UsageReported
  | Outcome
  | Done;

export type Snapshot = {
  type: "snapshot";
  runId: string;
  conversationId: string;
  messageId: string;
  lastSeq: number;
  status: string;
  nextIndex: number;
  pending: object[];
  message: Message;
  progress?: Progress;
  /** Never there; it makes a snapshot readable beside events. */
  seq?: undefined;
};
/** What the agent is doing, in words, and for programs. */
export type Progress = { message: string; stage: string };
/** What a stream yields: events, and a snapshot where what came before it is to be replaced. */
export type StreamEvent = AnyEvent | Snapshot;

export type ToolCallState = {
  id: string;
  tool: string;
  args: Record<string, any>;
  result?: any;
  isError?: boolean;
  durationMs?: number;
};

/** A message as in REST history; `streaming` and the statuses `sending` and `failed` are ours. */
export type Message = {
  id: string;
  role: "user" | "assistant";
  content: string;
  status: string;
  runId: string | null;
  usage: Usage | null;
  stopReason: string | null;
  error: ErrorBody | null;
  tools: ToolCallState[];
  sources: object[];
  thinking?: string;
  clientMessageId?: string;
  createdAt?: string;
  feedback?: { rating: "up" | "down"; comment?: string } | null;
  streaming?: boolean;
  /** What the agent was doing last. */
  progress?: Progress | null;
};

export type ConversationInfo = {
  id: string;
  agentId: string;
  title: string;
  createdAt: string;
  lastMessageAt: string;
};

export type Turn = { role: "user" | "assistant"; content: string };

/** What is asked: `content` in a conversation, or an own history in `messages`. */
export type Request = {
  content?: string;
  messages?: Turn[];
  conversationId?: string;
  clientMessageId: string;
  ifBusy?: "queue" | "reject" | "interrupt";
  onDisconnect?: "continue" | "cancel";
  deltas?: boolean;
  replaces?: string;
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
  /** Asked for a token at first, and again with `expired: true` when the server says so. */
  getToken?: (about: { expired: boolean }) => string | Promise<string>;
  /** `auto`: a WebSocket, and an event stream where there can be none. */
  transport?: "auto" | "websocket" | "sse";
  fetch?: typeof globalThis.fetch;
  WebSocket?: new (url: string) => Socket;
  timers?: Timers;
};
