/**
 * What one agent's widget remembers in this browser, under one name in the host page's storage.
 * Where a browser allows no storage, it lasts as long as the page.
 */
export class Storage {
  #key;
  /** @type {Record<string, any>} */
  #values;

  /** @param {string} key */
  constructor(key) {
    this.#key = key;
    this.#values = this.#read();
  }

  /** @param {string} name */
  get(name) {
    return this.#values[name];
  }

  /** Undefined forgets. @param {string} name @param {any} value */
  set(name, value) {
    this.#values = { ...this.#read(), [name]: value };
    try {
      localStorage.setItem(this.#key, JSON.stringify(this.#values));
    } catch {
      // Full or forbidden: this page remembers it on its own.
    }
  }

  /** Another tab has written: take its values over, and tell. @param {() => void} onChange */
  watch(onChange) {
    const listen = (/** @type {StorageEvent} */ event) => {
      if (event.key !== this.#key) return;
      this.#values = this.#read();
      onChange();
    };
    addEventListener("storage", listen);
    return () => removeEventListener("storage", listen);
  }

  #read() {
    try {
      return { ...this.#values, ...JSON.parse(localStorage.getItem(this.#key) ?? "{}") };
    } catch {
      return this.#values ?? {};
    }
  }
}
