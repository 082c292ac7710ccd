// What the command center sends (docs/command-center.md), and what the page makes of it.

export type Usage = { input: number; output: number; total: number };

export type FeedRun = {
  id: string;
  status: "queued" | "running" | "waiting" | "completed" | "cancelled" | "failed" | "interrupted";
  agentId: string;
  agentName: string;
  conversationId: string;
  owner: string;
  user?: string;
  keyId?: string;
  provider: string;
  model: string;
  tokens: number;
  tokenUsage: Usage;
  cost: number | null;
  startedAt: string | null;
  completedAt: string | null;
  latencyMs: number | null;
  ttftMs: number | null;
  error?: { code: string; message: string; retryable: boolean };
};

export type Connection = { id: string; agentId: string | null; transport: string; principal: string; since: string };

export type Message = { at: string } & (
  | { type: "state"; runs: FeedRun[]; connections: Connection[] }
  | { type: "reset" }
  | { type: "run:started"; run: FeedRun }
  | { type: "run:status_changed"; runId: string; from: string; to: FeedRun["status"] }
  | { type: "run:progress"; runId: string; tokens: number; cost: number | null; elapsedMs: number }
  | { type: "run:tool_started"; runId: string; id: string; tool: string }
  | { type: "run:tool_completed"; runId: string; id: string; tool: string; durationMs: number; isError: boolean }
  | { type: "run:completed"; run: FeedRun; result: { status: string; reason: string; excerpt?: string } }
);

/** A run as the page shows it; times in milliseconds since 1970. */
export type Row = FeedRun & {
  /** When it was accepted, or first seen. */
  since: number;
  endedAt: number | null;
  /** The tools that are at work. */
  tools: Map<string, string>;
};

/** The runs that were accepted in one minute. */
export type Minute = {
  at: string;
  runs: number;
  errors: number;
  cancelled: number;
  tokens: number;
  cost: number;
  ttftP95Ms: number | null;
};
