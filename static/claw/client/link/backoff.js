const FIRST = 1000;
const MAX_DELAY = 30_000;

/** How long to wait before the next attempt: 1 s, doubling to 30 s, half of it by chance. */
export class Backoff {
  #delay = FIRST;

  /** Milliseconds; the next one is longer. */
  next() {
    const delay = this.#delay;
    this.#delay = Math.min(delay * 2, MAX_DELAY);
    return jittered(delay);
  }

  /** It worked: begin again with the shortest. */
  reset() {
    this.#delay = FIRST;
  }
}

/** Half of it for sure, the rest by chance, so that not all clients come at once. @param {number} ms */
export function jittered(ms) {
  return ms * (0.5 + Math.random() / 2);
}
