/** @import {AnyEvent, Message, Progress, Snapshot, ToolCallState, Done, Outcome, RunStarted} from "./types.js" */

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
  /** @type {ToolCallState[]} */
  tools = [];
  /** What the agent was doing last. @type {Progress | null} */
  progress = null;
  lastSeq = 0;
  /** @type {Outcome | null} */
  outcome = null;
  /** @type {Done | null} */
  done = null;
  #typing = false;
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
    transcript.tokenCount = snapshot.nextIndex;
    transcript.progress = snapshot.progress ?? null;
    transcript.lastSeq = snapshot.lastSeq;
    transcript.#typing = snapshot.status !== "queued";
    return transcript;
  }

  /** As in history: queued, streaming, completed, cancelled, failed or interrupted. */
  get status() {
    if (this.outcome?.type === "message_complete") return "completed";
    if (this.outcome?.type === "cancelled") return "cancelled";
    if (this.outcome) return this.outcome.code === "run_interrupted" ? "interrupted" : "failed";
    if (this.#base && this.final) return this.#base.status;
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
      usage: outcome ? outcome.usage : (base?.usage ?? null),
      stopReason: outcome ? ("stopReason" in outcome ? outcome.stopReason : null) : (base?.stopReason ?? null),
      error: outcome ? errorOf(outcome) : (base?.error ?? null),
      tools: this.tools,
      sources: base?.sources ?? [],
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
      pending: base?.pending ?? [],
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
        break;
      case "status":
        this.progress = { message: event.message, stage: event.stage };
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
        break;
      case "tool_result":
        for (const tool of this.tools.filter(({ id }) => id === event.id)) {
          tool.result = event.result;
          tool.isError = event.isError;
          tool.durationMs = event.durationMs;
        }
        break;
      case "usage":
        this.#reports += 1;
        break;
      case "message_complete":
      case "cancelled":
      case "error":
        this.outcome = event;
        break;
      case "done":
        this.done = event;
        break;
    }
    return this;
  }
}

/** @param {Outcome} outcome */
function errorOf(outcome) {
  if (outcome.type !== "error") return null;
  const { code, message, retryable, retryAfter } = outcome;
  return retryAfter === undefined ? { code, message, retryable } : { code, message, retryable, retryAfter };
}
