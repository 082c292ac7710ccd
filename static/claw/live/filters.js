/** @import {Row} from "./types.js" */

/** The statuses that each choice of the filter means. @type {Record<string, string[]>} */
const STATUSES = {
  active: ["queued", "running", "waiting"],
  running: ["running"],
  waiting: ["waiting"],
  queued: ["queued"],
  failed: ["failed", "interrupted"],
  ended: ["completed", "cancelled", "failed", "interrupted"],
};
const NAMES = /** @type {const} */ (["agent", "status", "by", "q", "run"]);

/** @typedef {Record<typeof NAMES[number], string>} Chosen `run` is the one that is looked at. */

/** The filters in an address: what is not understood filters nothing. @param {string} query @returns {Chosen} */
export function chosenIn(query) {
  const given = new URLSearchParams(query);
  const chosen = /** @type {Chosen} */ (Object.fromEntries(NAMES.map((name) => [name, given.get(name) ?? ""])));
  if (!Object.hasOwn(STATUSES, chosen.status)) chosen.status = "";
  return chosen;
}

/** The query of an address that has these filters, with its `?` if there are any. @param {Chosen} chosen */
export function queryOf(chosen) {
  const query = new URLSearchParams(NAMES.filter((name) => chosen[name]).map((name) => [name, chosen[name]]));
  return query.size ? `?${query}` : "";
}

/** Whether a run fits; which agent it has is the server's to look at. @param {Row} row @param {Chosen} chosen */
export function fits(row, { status, by, q }) {
  if (status && !STATUSES[status].includes(row.status)) return false;
  if (by && !row.owner.startsWith(by)) return false;
  const text = q.trim().toLowerCase();
  return !text || [row.id, row.agentName, row.model, row.owner, row.conversationId].some((each) => each.toLowerCase().includes(text));
}
