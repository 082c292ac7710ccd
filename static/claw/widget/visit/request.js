import { errorOf } from "../../client/api.js";
import { ClawError } from "../../client/errors.js";
import { Backoff } from "../../client/link/backoff.js";

/** The agent does not want this page, or there is none. */
const REFUSALS = new Set(["forbidden", "agent_not_found"]);

/**
 * The JSON of an answer to who has no token yet. Rejects with a ClawError.
 * @param {string} base the agent's address @param {string} path @param {object} [body] it is posted
 * @returns {Promise<any>}
 */
export async function request(base, path, body) {
  const post = { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" } };
  try {
    const response = await fetch(`${base}/api/${path}`, { ...(body && post), credentials: "omit" });
    if (response.ok) return await response.json();
    throw await errorOf(response);
  } catch (problem) {
    const error = ClawError.from(problem);
    // For who has put the chat on this page.
    if (REFUSALS.has(error.code)) {
      console.error(
        `Clawsite: ${base} has no chat for ${location.origin}. Is this origin among the agent's allowed origins?`,
      );
    }
    throw error;
  }
}

/**
 * Run until it works; what a little time cures is tried again by itself.
 * @template T
 * @param {() => Promise<T>} run rejects with a ClawError
 * @param {{over: () => boolean, onWait: (error: ClawError, until: number) => void}} options `over`:
 *   nobody waits for it any more; `onWait` is told what went wrong and when the next attempt is
 * @returns {Promise<T>} Rejects with what no time cures, or when it is over.
 */
export async function insist(run, { over, onWait }) {
  const backoff = new Backoff();
  for (;;) {
    try {
      return await run();
    } catch (problem) {
      const error = ClawError.from(problem);
      if (!error.retryable || over()) throw error;
      const ms = error.retryAfter ?? backoff.next();
      onWait(error, Date.now() + ms);
      await pause(ms);
      if (over()) throw error;
    }
  }
}

/** Some milliseconds, or until there is a network again. @param {number} ms */
function pause(ms) {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      removeEventListener("online", end);
      resolve(undefined);
    };
    const timer = setTimeout(end, ms);
    addEventListener("online", end);
  });
}
