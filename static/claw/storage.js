/**
 * What one agent's widget remembers in this browser, under one name in the host page's storage.
 * Where a browser allows no storage, it lasts as long as the page.
 */
export class Storage {
  #key;
  /** @type {Record<string, any>} */
  #values = {};
  /** Whether the browser keeps nothing: then this page remembers on its own. */
  #alone = false;

  /** @param {string} key */
  constructor(key) {
    this.#key = key;
    this.#read();
  }

  /** What was written last, in whichever tab. @param {string} name */
  get(name) {
    return this.#read()[name];
  }

  /** Undefined forgets. @param {string} name @param {any} value */
  set(name, value) {
    this.#values = { ...this.#read(), [name]: value };
    try {
      localStorage.setItem(this.#key, JSON.stringify(this.#values));
    } catch {
      this.#alone = true; // full or forbidden
    }
  }

  /** Another tab has written: tell. @param {() => void} onChange */
  watch(onChange) {
    const listen = (/** @type {StorageEvent} */ event) => {
      if (event.key === this.#key) onChange();
    };
    addEventListener("storage", listen);
    return () => removeEventListener("storage", listen);
  }

  #read() {
    try {
      const text = this.#alone ? null : localStorage.getItem(this.#key);
      if (text !== null) this.#values = JSON.parse(text);
    } catch {
      // Forbidden, or not ours: what this page knows is good.
    }
    return this.#values;
  }
}
