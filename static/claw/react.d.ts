/** What TypeScript needs to know of react.js; see docs/javascript.md. */
import type { Context } from "react";
import type { ClawClient, ClawError } from "./client.js";
import type { LinkStatus, Message, PageContext, Pending, ToolCall, Verdict } from "./types.js";

export type ChatOptions = {
  client?: ClawClient;
  conversationId?: string | null;
  onToolCall?: (call: ToolCall) => void;
};

export type ChatState = {
  messages: Message[];
  isStreaming: boolean;
  ttft: number | null;
  tokensPerSecond: number | null;
  status: LinkStatus;
  conversationId: string | null;
  hasOlder: boolean;
  /** Whether what was said before is still on its way. */
  isLoading: boolean;
  /** What the agent needs of somebody before it goes on. */
  pending: Pending[];
  /** What went wrong last, until something is said again. */
  error: ClawError | null;
};

/** The client of everything below: `<ClawContext.Provider value={client}>`. */
export const ClawContext: Context<ClawClient | null>;

/** A chat with an agent, rendered at most once a frame. */
export function useStreamingChat(
  agentId?: string,
  options?: ChatOptions,
): ChatState & {
  /** `replaces`: the id of a user's message, which this one takes the place of; `context`: the page that it was written on. */
  send(text: string, options?: { replaces?: string; context?: PageContext }): Promise<Message>;
  cancel(): void;
  retry(): Promise<Message> | null;
  /** Never rejects: what went wrong is `error`. */
  loadOlder(): Promise<void>;
  /** Decides about a tool call in `pending`. Rejects with a ClawError, as the next two do. */
  approve(id: string, verdict: Verdict): Promise<unknown>;
  /** Answers a question in `pending`. */
  answer(id: string, text: string): Promise<unknown>;
  /** Leaves a question in `pending` without an answer. */
  decline(id: string): Promise<unknown>;
  newConversation(): void;
};
