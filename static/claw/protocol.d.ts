// The types of docs/protocol.md. `python -m scripts.export_types` makes them: do not edit.

/** The answer to `auth`: the agent, and what this connection may do. */
export interface AuthOk {
  type: "auth_ok";
  replyTo?: string | number;
  agentId: string;
  agentName: string;
  protocol: 1;
  sessionId: string;
  heartbeatMs: number;
  limits: ConnectionLimits;
  conversationId?: string;
}

/** The limits of one connection. It is closed after `idleMs` without messages and runs. */
export interface ConnectionLimits {
  messagesPerMinute: number;
  messageBytes: number;
  idleMs: number;
}

/** The answer to `subscribe`. */
export interface Subscribed {
  type: "subscribed";
  replyTo?: string | number;
  conversationId: string;
  activeRunId?: string;
}

/** The answer to the client's `ping`. */
export interface Pong {
  type: "pong";
  replyTo?: string | number;
}

/** Keeps proxies from closing a silent connection. It needs no answer. */
export interface Ping {
  type: "ping";
  replyTo?: string | number;
}

/** The server is about to close the connection. Come back after `delayMs`. */
export interface Reconnect {
  type: "reconnect";
  replyTo?: string | number;
  delayMs: number;
}

/** An error of a frame or of the connection. An `error` with a `runId` is the outcome of a run. */
export interface ErrorFrame {
  type: "error";
  replyTo?: string | number;
  code: string;
  message: string;
  retryAfter?: number;
  details?: Record<string, any>;
}

/** A run so far. The events that follow have a `seq` above `lastSeq`. */
export interface Snapshot {
  type: "snapshot";
  replyTo?: string | number;
  runId: string;
  conversationId: string;
  messageId: string;
  lastSeq: number;
  status: "cancelled" | "completed" | "failed" | "interrupted" | "queued" | "streaming" | "waiting";
  nextIndex: number;
  pending: Pending[];
  message: Message;
  progress?: Progress;
}

/**
 * A need of a waiting run: it goes on when that is decided, by the `id`. An approval and a
 * client's tool have `tool` and `args`, a question has `text`. `childRunId`: another agent's run
 * asks for it, which this run waits for.
 */
export interface Pending {
  kind: "approval" | "client_tool" | "question";
  id: string;
  tool?: string;
  args?: Record<string, any>;
  argsDigest?: string;
  expiresAt?: string;
  approvers?: "members" | "visitor";
  editable?: boolean;
  text?: string;
  choices?: string[];
  schema?: Record<string, any>;
  childRunId?: string;
}

/** A message of the history; a snapshot has the same object. */
export interface Message {
  id: string;
  role: "assistant" | "user";
  content: string;
  status: "cancelled" | "completed" | "failed" | "interrupted" | "queued" | "streaming" | "waiting";
  runId: string | null;
  usage: Usage | null;
  stopReason: string | null;
  error: Problem | null;
  tools: ToolUse[];
  sources: Source[];
  createdAt: string;
  thinking?: string;
  clientMessageId?: string;
  feedback?: Feedback;
  version?: number;
  context?: PageContext;
  attachments?: Attachment[];
}

/**
 * Tokens, money and time of a whole answer. `totalTokens` = input + output. `cost` is in USD, null
 * when the price is unknown (never a made-up 0). `source` tells whether the provider counted or we
 * estimated (an answer that was cut before its count arrived).
 */
export interface Usage {
  inputTokens: number;
  outputTokens: number;
  totalTokens: number;
  cost: number | null;
  model: string;
  latencyMs: number;
  ttftMs: number | null;
  tokensPerSecond: number | null;
  source: "estimated" | "provider";
  cacheReadTokens?: number;
  cacheWriteTokens?: number;
  reasoningTokens?: number;
}

/** The error of a failed run. `retryAfter` in milliseconds. */
export interface Problem {
  code: string;
  message: string;
  retryable: boolean;
  retryAfter?: number;
}

/**
 * A tool call and, once it has come, its result. `args` are those that were approved, if somebody
 * has changed them. `client`: the client carries it out; `childRunId` is the run of the agent that
 * does.
 */
export interface ToolUse {
  id: string;
  tool: string;
  args: Record<string, any>;
  client?: true;
  childRunId?: string;
  approval?: Approval;
  result?: any;
  isError?: boolean;
  durationMs?: number;
}

/** The decision about a tool call, who made it, and the reason if they gave one. */
export interface Approval {
  approved: boolean;
  by: DecidedBy;
  reason?: string;
}

/**
 * The one that decided, or `expiry`, or the end of the run (`withdrawal`), or the standing
 * approval of somebody (`standing`). Visitors get no `id` of others.
 */
export interface DecidedBy {
  kind: "expiry" | "key" | "member" | "standing" | "visitor" | "withdrawal";
  id?: string;
}

/**
 * A passage of a document that an answer stands on: `excerpt` is `[start:end]` (characters) of the
 * document's text. `page` counts from 1.
 */
export interface Source {
  documentId: string;
  title: string;
  chunkId: number;
  start: number;
  end: number;
  excerpt: string;
  url?: string;
  page?: number;
}

/** A reader's opinion of an answer. A `rating` of null takes it back. */
export interface Feedback {
  rating: "down" | "up" | null;
  comment?: string;
}

/**
 * A page: its `title`, its address (`url`), what the visitor has selected on it, and `data`, an
 * object of the site's own. The model gets it as data beside the message.
 */
export interface PageContext {
  title?: string;
  url?: string;
  selection?: string;
  data?: Record<string, any>;
}

/** A file of a message, whose content is at `/api/files/{id}`. */
export interface Attachment {
  id: string;
  name: string;
  mediaType: string;
  bytes: number;
}

/** The latest `status` of a run that goes on. */
export interface Progress {
  message: string;
  stage: string;
}

/**
 * The first event. The user's message is stored, model and agent configuration are fixed.
 * `context` is the page on which the message was written.
 */
export interface RunStarted {
  type: "run_started";
  agentId: string;
  provider?: string;
  model?: string;
  userMessageId: string;
  userContent: string;
  clientMessageId?: string;
  context?: Record<string, any>;
  queued?: number;
  replaces?: string;
  parentRunId?: string;
  runId: string;
  seq: number;
  conversationId: string;
  messageId: string;
}

/**
 * `start` when work begins, `stop` right before the outcome. A run that is cancelled while it is
 * queued has neither.
 */
export interface Typing {
  type: "typing";
  status: "start" | "stop";
  runId: string;
  seq: number;
  conversationId: string;
  messageId: string;
}

/** Progress. `message` is for people, `stage` for programs. */
export interface Status {
  type: "status";
  message: string;
  stage: string;
  runId: string;
  seq: number;
  conversationId: string;
  messageId: string;
}

/** The passages that a search has found, the best first. */
export interface Sources {
  type: "sources";
  sources: Source[];
  runId: string;
  seq: number;
  conversationId: string;
  messageId: string;
}

/** The model's reasoning; `index` counts from 0 without gaps. */
export interface Thinking {
  type: "thinking";
  content: string;
  index: number;
  runId: string;
  seq: number;
}

/**
 * A piece of the answer. `index` counts from 0 without gaps; a merged token says in `count` how
 * many it joins. The first token of an attempt has the milliseconds until it came in `ttftMs`.
 */
export interface Token {
  type: "token";
  content: string;
  index: number;
  count?: number;
  ttftMs?: number;
  runId: string;
  seq: number;
}

/** A raw fragment of a tool call's arguments. `index` tells parallel calls apart. */
export interface ToolCallDelta {
  type: "tool_call_delta";
  index: number;
  arguments: string;
  id?: string;
  name?: string;
  runId: string;
  seq: number;
}

/**
 * A complete call. `name`/`arguments` repeat `tool`/`args` for clients that expect those.
 * `client`: the client that asked carries it out, and sends the result. `childRunId`: another
 * agent carries it out, in this run.
 */
export interface ToolCall {
  type: "tool_call";
  id: string;
  tool: string;
  args: Record<string, any>;
  name: string;
  arguments: Record<string, any>;
  client?: boolean;
  childRunId?: string;
  runId: string;
  seq: number;
  conversationId: string;
  messageId: string;
}

/**
 * The result of a tool, limited in size. `isError` says that the tool failed, `client` that the
 * client was asked for it: an answer, or the result of its own tool.
 */
export interface ToolResult {
  type: "tool_result";
  id: string;
  tool: string;
  result: any;
  isError: boolean;
  durationMs: number;
  client?: boolean;
  childRunId?: string;
  runId: string;
  seq: number;
  conversationId: string;
  messageId: string;
}

/**
 * The call `id` is carried out once somebody has approved it. `argsDigest` is `sha256:` and the
 * hex digest of the canonical JSON (RFC 8785) of `{runId, id, tool, args}`. A call of another
 * agent's run, which this run waits for, has that run in `childRunId`, and in its digest.
 */
export interface ApprovalRequired {
  type: "approval_required";
  id: string;
  tool: string;
  args: Record<string, any>;
  argsDigest: string;
  expiresAt: string;
  approvers: "members" | "visitor";
  editable?: boolean;
  childRunId?: string;
  runId: string;
  seq: number;
  conversationId: string;
  messageId: string;
}

/**
 * The end of an approval: somebody's decision, or its expiry. `args` are those that were approved
 * in place of the model's.
 */
export interface ApprovalDecided {
  type: "approval_decided";
  id: string;
  approved: boolean;
  by: DecidedBy;
  approvers: "members" | "visitor";
  args?: Record<string, any>;
  reason?: string;
  childRunId?: string;
  runId: string;
  seq: number;
  conversationId: string;
  messageId: string;
}

/**
 * The agent asks whoever talks to it. The answer is one of `choices`, or JSON that fits `schema`,
 * or any text.
 */
export interface Question {
  type: "question";
  id: string;
  text: string;
  expiresAt: string;
  choices?: string[];
  schema?: Record<string, any>;
  childRunId?: string;
  runId: string;
  seq: number;
  conversationId: string;
  messageId: string;
}

/**
 * A later message of the user has joined this run at the end of a step: the model sees it with the
 * results of the tools, and answers it too.
 */
export interface Steered {
  type: "steered";
  userMessageId: string;
  content: string;
  clientMessageId?: string;
  context?: Record<string, any>;
  runId: string;
  seq: number;
  conversationId: string;
  messageId: string;
}

/** The usage of one model call, also of one that was cut; `ttftMs` until its first output. */
export interface UsageReported {
  type: "usage";
  inputTokens: number;
  outputTokens: number;
  cacheReadTokens: number;
  cacheWriteTokens: number;
  reasoningTokens: number;
  cost: number | null;
  source: "estimated" | "provider";
  durationMs?: number;
  ttftMs?: number;
  runId: string;
  seq: number;
  conversationId: string;
  messageId: string;
}

/** Outcome: the answer is complete. */
export interface MessageComplete {
  type: "message_complete";
  content: string;
  usage?: Usage;
  stopReason: string;
  runId: string;
  seq: number;
  conversationId: string;
  messageId: string;
}

/**
 * Outcome: somebody stopped the run. The partial text is kept, and is context for later runs.
 * `joinedRunId`: nobody did, but its message has joined that run, which answers it.
 */
export interface Cancelled {
  type: "cancelled";
  content: string;
  usage?: Usage;
  joinedRunId?: string;
  stopReason?: "cancelled";
  runId: string;
  seq: number;
  conversationId: string;
  messageId: string;
}

/**
 * Outcome: the run failed or was interrupted. The partial text is kept. `retryAfter` in
 * milliseconds.
 */
export interface Failed {
  type: "error";
  code: string;
  message: string;
  retryable: boolean;
  content: string;
  usage?: Usage;
  retryAfter?: number;
  runId: string;
  seq: number;
  conversationId: string;
  messageId: string;
}

/**
 * The last event of every run. `digest` is `sha256:` and the hex digest of the UTF-8 content,
 * `length` its bytes.
 */
export interface Done {
  type: "done";
  reason: "budget_exceeded" | "cancelled" | "complete" | "error" | "interrupted";
  usage?: Usage;
  cost?: number | null;
  metrics: Metrics;
  digest: string;
  length: number;
  runId: string;
  seq: number;
  conversationId: string;
  messageId: string;
}

/**
 * Measured times and tokens. `ttftMs` is null if no token came; `tokensPerSecond` counts from the
 * first token.
 */
export interface Metrics {
  ttftMs: number | null;
  totalMs: number;
  tokenCount?: number;
  tokensPerSecond?: number | null;
}

/** The part of an agent that visitors see before they say anything. */
export interface AgentGreeting {
  id: string;
  slug: string;
  name: string;
  greeting: string;
  prompts: string[];
  showThinking: boolean;
  showTools: boolean;
  showUsage: boolean;
  ifBusy: "queue" | "reject" | "interrupt" | "steer";
  widget: WidgetSettings;
}

/**
 * The look of an agent's chat, and what it offers. Absent fields have the widget's defaults; an
 * attribute of the element, where the page has one, comes first.
 */
export interface WidgetSettings {
  avatar?: string;
  logo?: string;
  shareText?: string;
  shareImage?: string;
  launcherText?: string;
  launcherIcon?: string;
  position?: "left" | "right" | "top-left" | "top-right";
  width?: number;
  height?: number;
  radius?: number;
  accent?: string;
  headerColor?: string;
  theme?: "auto" | "dark" | "light";
  bubble?: Bubble;
  greetings?: PageGreeting[];
  followUps?: string[];
  slashPrompts?: SlashPrompt[];
  consent?: Consent;
  disclaimer?: string;
  hours?: Hours;
  pageContext?: boolean | ("selection" | "title" | "url")[];
  pageData?: Record<string, any>;
  transcript?: boolean;
  transcriptEmail?: boolean;
  rating?: boolean;
  resizable?: boolean;
  sound?: boolean;
  unreadTitle?: boolean;
  texts?: Record<string, Record<string, string>>;
}

/**
 * A few words beside the button of a chat that is closed. With neither a delay nor a depth it
 * comes only when the page asks for it.
 */
export interface Bubble {
  text: string;
  delaySeconds?: number;
  scrollPercent?: number;
}

/** The greeting on some pages, and what one could ask there. */
export interface PageGreeting {
  page: string;
  greeting: string;
  prompts?: string[];
}

/** A text that is written by typing `/` and its name. */
export interface SlashPrompt {
  name: string;
  text: string;
}

/** The consent of visitors before the first message. */
export interface Consent {
  text: string;
  privacyUrl?: string;
}

/**
 * The hours in which people are there to help. At other times the chat says so, and takes a
 * message for them: `email` is its address, and `form` shows a form, which webhooks and the page
 * get.
 */
export interface Hours {
  open: OpenHours[];
  timeZone: string;
  text?: string;
  email?: string;
  form?: boolean;
}

/** Some days of the week, 1 is Monday, and the time on each of them. */
export interface OpenHours {
  days: number[];
  opens: string;
  closes: string;
}

/** An event of a run. */
export type AnyEvent =
  | RunStarted
  | Typing
  | Status
  | Sources
  | Thinking
  | Token
  | ToolCallDelta
  | ToolCall
  | ToolResult
  | ApprovalRequired
  | ApprovalDecided
  | Question
  | Steered
  | UsageReported
  | MessageComplete
  | Cancelled
  | Failed
  | Done;

/** What else a WebSocket carries. */
export type AnyFrame =
  | AuthOk
  | Subscribed
  | Pong
  | Ping
  | Reconnect
  | ErrorFrame
  | Snapshot;
