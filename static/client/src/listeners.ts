/** An EventTarget that knows whether anyone listens, so that nothing is made for nobody. */
export class Listeners extends EventTarget {
  private readonly counted = new Map<string, Set<EventListenerOrEventListenerObject>>();

  override addEventListener(type: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | AddEventListenerOptions): void {
    super.addEventListener(type, listener, options);
    if (!listener) return;
    const { once, signal } = typeof options === "object" ? options : {};
    if (signal?.aborted) return;
    const all = this.counted.get(type) ?? new Set();
    this.counted.set(type, all.add(listener));
    const forget = (): void => this.forget(type, listener);
    signal?.addEventListener("abort", forget);
    // Added behind the listener, so that it runs right after it.
    if (once) super.addEventListener(type, forget, { once: true });
    this.listenersChanged(type);
  }

  override removeEventListener(type: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | EventListenerOptions): void {
    super.removeEventListener(type, listener, options);
    if (listener) this.forget(type, listener);
  }

  /** Whether there is a listener for this type of event. */
  protected has(type: string): boolean {
    return (this.counted.get(type)?.size ?? 0) > 0;
  }

  /** Called when listeners for type came or went. */
  protected listenersChanged(_type: string): void {}

  private forget(type: string, listener: EventListenerOrEventListenerObject): void {
    if (this.counted.get(type)?.delete(listener)) this.listenersChanged(type);
  }
}

/** Calls f for the page: what it throws is reported, and is no fault of ours. */
export function callPage(f: () => void): void {
  try {
    f();
  } catch (e) {
    const { reportError } = globalThis as { reportError?: (e: unknown) => void };
    if (reportError) reportError(e);
    else setTimeout(() => { throw e; }, 0); // prettier-ignore
  }
}
