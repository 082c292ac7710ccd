/**
 * The memory of one agent's widget in this browser, in the host page's storage. Where a browser
 * allows no storage, it lasts as long as the page.
 *
 * Each value is an entry of its own: tabs write at the same time, and none may undo what another
 * has just written of something else.
 */
export class Storage {
  #prefix;
  /** The values that the browser does not keep, because it is full or forbids it: they last as long as the page. @type {Map<string, any>} */
  #unstored = new Map();

  /** @param {string} name */
  constructor(name) {
    this.#prefix = `${name}:`;
  }

  /** The value that was written last, in any tab. @param {string} name */
  get(name) {
    if (this.#unstored.has(name)) return this.#unstored.get(name);
    try {
      return JSON.parse(localStorage.getItem(this.#prefix + name) ?? "null") ?? undefined;
    } catch {
      return undefined; // forbidden, or not ours
    }
  }

  /** Undefined forgets. @param {string} name @param {any} value */
  set(name, value) {
    if (this.get(name) === value) return; // nothing is written that is so already
    try {
      if (value === undefined) localStorage.removeItem(this.#prefix + name);
      else localStorage.setItem(this.#prefix + name, JSON.stringify(value));
      this.#unstored.delete(name);
    } catch {
      this.#unstored.set(name, value);
    }
  }

  /** Another tab has written: tell. @param {() => void} onChange */
  watch(onChange) {
    const listen = (/** @type {StorageEvent} */ event) => {
      if (event.key?.startsWith(this.#prefix)) onChange();
    };
    addEventListener("storage", listen);
    return () => removeEventListener("storage", listen);
  }

  /** Resolves when a value is there that another tab wrote, or after some milliseconds. @param {string} name @param {number} ms */
  async written(name, ms) {
    let unwatch = () => {};
    const seen = new Promise((resolve) => {
      unwatch = this.watch(() => this.get(name) && resolve(undefined));
    });
    if (!this.get(name)) await Promise.race([seen, new Promise((resolve) => setTimeout(resolve, ms))]);
    unwatch();
  }
}
