/** Numbers, money and times as this page says them. */
const whole = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });
const money = new Intl.NumberFormat(undefined, { style: "currency", currency: "USD", maximumFractionDigits: 4 });
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });

/** @param {number} value */
export const count = (value) => whole.format(value);

/** @param {number | null} value US dollars */
export const dollars = (value) => (value === null ? "–" : money.format(value));

/** @param {number} ms */
export function duration(ms) {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${String(Math.floor(seconds % 60)).padStart(2, "0")} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
}

/** The time of day. @param {string} moment */
export const timeOfDay = (moment) => clock.format(new Date(moment));

/** The name of the asker. @param {{owner: string, user?: string, keyId?: string}} run */
export function asker({ owner, user, keyId }) {
  if (user !== undefined) return user;
  if (owner.startsWith("visitor:")) return "Visitor";
  if (owner.startsWith("member:")) return "Member";
  return keyId ? "API key" : owner;
}
