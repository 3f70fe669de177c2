/** One value that changes over time, in the form React's `useSyncExternalStore` wants. */

/** A value one may read and watch, not set. */
export interface Readable<T> {
  /** The value now; the same object until it changes. */
  get(): T;
  /** Call `listener` after each change; returns the function that ends it. */
  subscribe(listener: () => void): () => void;
}

/**
 * A value with listeners.
 *
 * `set` with the value it already has does nothing. Listeners are called at once, in the order they came; one
 * that throws is reported and does not keep the others from being called.
 */
export class Store<T> implements Readable<T> {
  #value: T;
  readonly #listeners = new Set<() => void>();

  constructor(value: T) {
    this.#value = value;
  }

  get = (): T => this.#value;

  subscribe = (listener: () => void): (() => void) => {
    // A fresh function per subscription, so that one listener may subscribe twice.
    const entry = () => listener();
    this.#listeners.add(entry);
    return () => {
      this.#listeners.delete(entry);
    };
  };

  /** Put a new value and tell the listeners. */
  set(value: T): void {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    for (const listener of [...this.#listeners]) {
      try {
        listener();
      } catch (error) {
        console.error("A listener of a store failed", error);
      }
    }
  }

  /** Put what `change` makes of the value. */
  update(change: (value: T) => T): void {
    this.set(change(this.#value));
  }
}
