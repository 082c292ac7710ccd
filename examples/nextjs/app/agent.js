// The agent behind this server, which has the key. The pages know neither.
const { AGENT_URL = "http://127.0.0.1:8000/a/my-agent", API_KEY } = process.env;
const SHOWN = ["content-type", "cache-control", "x-vercel-ai-ui-message-stream", "retry-after", "x-accel-buffering"];
const YEAR = 365 * 24 * 3600;

/** Who asks: a name that nobody guesses, in a cookie that no script reads. @param {Request} request */
export function ownerOf(request) {
  const known = /(?:^|;\s*)chat=([0-9a-f-]{36})/.exec(request.headers.get("cookie") ?? "");
  return known ? known[1] : crypto.randomUUID();
}

/** The agent's answer, as it is made. @param {string} path @param {string} owner @param {RequestInit} [init] */
export async function ask(path, owner, init) {
  const headers = { Authorization: `Bearer ${API_KEY}`, "Content-Type": "application/json" };
  const answer = await fetch(`${AGENT_URL}/api/ai-sdk/chat${path}`, { ...init, headers, cache: "no-store" });
  const shown = new Headers(SHOWN.filter((name) => answer.headers.has(name)).map((name) => [name, answer.headers.get(name)]));
  shown.set("Set-Cookie", `chat=${owner}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${YEAR}`);
  return new Response(answer.body, { status: answer.status, headers: shown });
}

/** The conversation of a chat. The key opens everybody's: a page reaches those of its own browser. @param {string} owner @param {string} id */
export function conversationOf(owner, id) {
  return `${owner}:${id}`.slice(0, 128);
}
