/** @import {AnyEvent, Message, Pending, Progress, Snapshot, Source, ToolUse, Done, Outcome, RunStarted} from "../types.js" */

const encoder = new TextEncoder();

/**
 * One run so far. The same fold as the server's (engine/transcript.py), tested on the same files.
 */
export class Transcript {
  /** @type {RunStarted | null} */
  started = null;
  text = "";
  thinking = "";
  tokenCount = 0;
  thinkingCount = 0;
  /** @type {ToolUse[]} */
  tools = [];
  /** The passages of all searches, each once. @type {Source[]} */
  sources = [];
  /** The last step of the agent. @type {Progress | null} */
  progress = null;
  lastSeq = 0;
  /** @type {Outcome | null} */
  outcome = null;
  /** @type {Done | null} */
  done = null;
  /** The decisions and answers for which the run waits. @type {Pending[]} */
  pending = [];
  #typing = false;
  /** The server says that it waits, if not for this watcher. */
  #waiting = false;
  #reports = 0;
  /** @type {Snapshot | null} */
  #base = null;

  /** Go on from a snapshot: it replaces what there was. @param {Snapshot} snapshot */
  static of(snapshot) {
    const transcript = new Transcript();
    const { message } = snapshot;
    transcript.#base = snapshot;
    transcript.text = message.content;
    transcript.thinking = message.thinking ?? "";
    transcript.tools = message.tools.map((tool) => ({ ...tool }));
    transcript.sources = [...message.sources];
    transcript.tokenCount = snapshot.nextIndex;
    transcript.progress = snapshot.progress ?? null;
    transcript.lastSeq = snapshot.lastSeq;
    transcript.pending = [...snapshot.pending];
    transcript.#typing = snapshot.status === "streaming";
    transcript.#waiting = snapshot.status === "waiting";
    return transcript;
  }

  /** As in history: queued, streaming, waiting, completed, cancelled, failed or interrupted. */
  get status() {
    if (this.outcome?.type === "message_complete") return "completed";
    if (this.outcome?.type === "cancelled") return "cancelled";
    if (this.outcome) return this.outcome.code === "run_interrupted" ? "interrupted" : "failed";
    if (this.#base && this.final) return this.#base.status;
    if (!this.#typing && (this.pending.length || this.#waiting)) return "waiting";
    return this.#typing || this.#reports || this.tokenCount ? "streaming" : "queued";
  }

  /** Whether nothing is added any more. */
  get final() {
    if (this.outcome) return true;
    return !!this.#base && !["queued", "streaming", "waiting"].includes(this.#base.status);
  }

  /** The assistant's message as in REST history, but for `createdAt`. @returns {Message} */
  message() {
    const base = this.#base?.message;
    const { outcome, started } = this;
    /** @type {Message} */
    const message = {
      id: started?.messageId ?? base?.id ?? "",
      role: "assistant",
      content: this.text,
      status: this.status,
      runId: started?.runId ?? base?.runId ?? "",
      usage: (outcome ? outcome.usage : base?.usage) ?? null,
      stopReason: outcome ? ("stopReason" in outcome ? (outcome.stopReason ?? null) : null) : (base?.stopReason ?? null),
      error: outcome ? errorOf(outcome) : (base?.error ?? null),
      tools: this.tools,
      sources: this.sources,
    };
    if (this.thinking) message.thinking = this.thinking;
    return message;
  }

  /** The `snapshot` frame: the fold so far, and where to go on from. @returns {Snapshot} */
  snapshot() {
    const base = this.#base;
    /** @type {Snapshot} */
    const snapshot = {
      type: "snapshot",
      runId: this.started?.runId ?? base?.runId ?? "",
      conversationId: this.started?.conversationId ?? base?.conversationId ?? "",
      messageId: this.started?.messageId ?? base?.messageId ?? "",
      lastSeq: this.lastSeq,
      status: this.status,
      nextIndex: this.tokenCount,
      pending: this.pending,
      message: this.message(),
    };
    if (this.progress && !this.final) snapshot.progress = this.progress;
    return snapshot;
  }

  /** Bytes of UTF-8 of the text. */
  get length() {
    return encoder.encode(this.text).length;
  }

  /**
   * `sha256:` and the hex digest of the text's UTF-8; null where there is no SHA-256 (a page that
   * came over plain HTTP).
   */
  async digest() {
    const subtle = globalThis.crypto?.subtle;
    if (!subtle) return null;
    const hash = new Uint8Array(await subtle.digest("SHA-256", encoder.encode(this.text)));
    return "sha256:" + Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  /** Add one event. Events must come in order; each counts once. @param {AnyEvent} event */
  fold(event) {
    if (event.seq) this.lastSeq = event.seq;
    switch (event.type) {
      case "run_started":
        this.started = event;
        break;
      case "typing":
        this.#typing = event.status === "start";
        this.#waiting &&= !this.#typing;
        break;
      case "status":
        this.progress = { message: event.message, stage: event.stage };
        break;
      case "sources":
        for (const source of event.sources) {
          if (!this.sources.some(({ chunkId }) => chunkId === source.chunkId)) this.sources.push(source);
        }
        break;
      case "token":
        this.text += event.content;
        this.tokenCount = event.index + (event.count ?? 1);
        break;
      case "thinking":
        this.thinking += event.content;
        this.thinkingCount = event.index + 1;
        break;
      case "tool_call":
        this.tools.push({ id: event.id, tool: event.tool, args: event.args });
        if (event.client) this.tools[this.tools.length - 1].client = true;
        if (event.childRunId) this.tools[this.tools.length - 1].childRunId = event.childRunId;
        if (event.client) this.#await("client_tool", event, ["tool", "args"]);
        break;
      case "tool_result":
        for (const tool of this.tools.filter(({ id }) => id === event.id)) {
          tool.result = event.result;
          tool.isError = event.isError;
          tool.durationMs = event.durationMs;
        }
        this.#decided(event.id);
        break;
      case "approval_required":
        this.#await("approval", event, ["tool", "args", "argsDigest", "expiresAt", "approvers", "editable", "childRunId"]);
        break;
      case "approval_decided":
        for (const tool of this.tools.filter(({ id }) => id === event.id)) {
          if (event.args) tool.args = event.args;
          tool.approval = { approved: event.approved, by: event.by };
          if (event.reason !== undefined) tool.approval.reason = event.reason;
        }
        this.#decided(event.id);
        break;
      case "question":
        this.#await("question", event, ["text", "choices", "schema", "expiresAt", "childRunId"]);
        break;
      case "usage":
        this.#reports += 1;
        break;
      case "message_complete":
      case "cancelled":
      case "error":
        this.outcome = event;
        this.pending = [];
        break;
      case "done":
        this.done = event;
        break;
    }
    return this;
  }

  /** @param {Pending["kind"]} kind @param {any} event @param {string[]} fields those that it may have */
  #await(kind, event, fields) {
    const there = fields.filter((field) => event[field] !== undefined).map((field) => [field, event[field]]);
    this.pending = [...this.pending, { kind, id: event.id, ...Object.fromEntries(there) }];
  }

  /** @param {string} id */
  #decided(id) {
    this.pending = this.pending.filter((call) => call.id !== id);
  }
}

/** @param {Outcome} outcome */
function errorOf(outcome) {
  if (outcome.type !== "error") return null;
  const { code, message, retryable, retryAfter } = outcome;
  return retryAfter === undefined ? { code, message, retryable } : { code, message, retryable, retryAfter };
}
