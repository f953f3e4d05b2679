// What the entries of this folder share: each sets globalThis.client, an object of
// functions that the Go tests call. A function that waits for something fails loudly.
import { options } from "./net.js";

/** Makes functions available to the tests, and `use`, which chooses the transports. */
export function publish(functions) {
  globalThis.client = {
    use(transports) {
      options.transports = transports;
    },
    ...functions,
  };
}

/** A promise with its functions, for events that come later. */
export function later() {
  const it = {};
  it.promise = new Promise((resolve, reject) => Object.assign(it, { resolve, reject }));
  it.promise.catch(() => {}); // whoever waits for it sees the failure
  return it;
}

/** A list that others wait for: inbox.put(x), await inbox.take(predicate). */
export class Inbox {
  #items = [];
  #waiting = [];
  #failure = null;

  put(item) {
    const i = this.#waiting.findIndex(({ wanted }) => wanted(item));
    if (i < 0) this.#items.push(item);
    else this.#waiting.splice(i, 1)[0].resolve(item);
  }

  take(wanted = () => true) {
    const i = this.#items.findIndex(wanted);
    if (i >= 0) return Promise.resolve(this.#items.splice(i, 1)[0]);
    if (this.#failure) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => this.#waiting.push({ wanted, resolve, reject }));
  }

  fail(error) {
    this.#failure ??= error;
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }
}
