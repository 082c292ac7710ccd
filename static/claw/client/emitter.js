/**
 * Handlers by the type of what happens.
 * @template {Record<string, any>} Events
 */
export class Emitter {
  /** @type {Map<keyof Events, Set<(value: any) => void>>} */
  #handlers = new Map();

  /**
   * Call `handler` from now on; returns this object, so that calls can be chained.
   * @template {keyof Events} Type
   * @param {Type} type
   * @param {(value: Events[Type]) => void} handler
   */
  on(type, handler) {
    const handlers = this.#handlers.get(type) ?? new Set();
    this.#handlers.set(type, handlers.add(handler));
    return this;
  }

  /**
   * @template {keyof Events} Type
   * @param {Type} type
   * @param {(value: Events[Type]) => void} handler
   */
  off(type, handler) {
    this.#handlers.get(type)?.delete(handler);
    return this;
  }

  /**
   * @template {keyof Events} Type
   * @param {Type} type
   * @param {Events[Type]} value
   */
  emit(type, value) {
    for (const handler of [...(this.#handlers.get(type) ?? [])]) {
      try {
        handler(value);
      } catch (error) {
        // A defect of the page's handler is the page's to see, and must not stop the stream.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
