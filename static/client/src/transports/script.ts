import type { Platform } from "../platform.ts";

/** A script that has not answered after this time, in ms, is forgotten. */
const forgetAfter = 45_000;

/** The only global of ours besides TCPSocket: script tags have no other way to answer. */
interface Desk {
  /** What the scripts call. */
  jsonp(seq: number, batch: unknown): void;
  waiting: Map<number, (batch: unknown) => void>;
  next: number;
}

/** The name under which scripts find Desk.jsonp. */
const callback = "__encke.jsonp";

/** Several copies of this client on a page share one desk, and so never use a number twice. */
function desk(): Desk {
  const g = globalThis as { __encke?: Desk };
  if (!g.__encke) {
    const waiting = new Map<number, (batch: unknown) => void>();
    // An answer whose number was forgotten finds nobody.
    g.__encke = { jsonp: (seq, batch) => waiting.get(seq)?.(batch), waiting, next: 1 };
  }
  return g.__encke;
}

/**
 * Loads address(callback, seq) as a script and calls done once: with the batch it
 * passed, or with undefined and why there is none. The returned function forgets it.
 */
export function loadScript(
  platform: Platform,
  address: (variables: { callback: string; seq: string }) => string,
  done: (batch: unknown, failure: string) => void,
): () => void {
  const { document, clock } = platform;
  const { waiting } = desk();
  const seq = desk().next;
  desk().next = (seq % 999_999_999) + 1;

  const script = document!.createElement("script");
  const stopTimer = clock.after(forgetAfter, () => finish(undefined, "no answer within 45 s"));
  const forget = (): void => {
    stopTimer();
    waiting.delete(seq);
    script.onload = script.onerror = null;
    script.remove();
  };
  const finish = (batch: unknown, failure: string): void => {
    forget();
    done(batch, failure);
  };
  waiting.set(seq, (batch) => finish(batch, ""));
  script.async = true;
  script.referrerPolicy = "origin"; // by which the proxy knows the page
  script.onload = () => finish(undefined, "the script did not call back");
  script.onerror = () => finish(undefined, "the script did not load");
  setSource(script, address({ callback, seq: String(seq) }));
  document!.head.appendChild(script);
  return forget;
}

interface ScriptPolicy {
  createScriptURL(url: string): string;
}

/** What pages with Trusted Types have; not in the type library. */
interface TrustedTypesHolder {
  trustedTypes?: { createPolicy(name: string, rules: ScriptPolicy): ScriptPolicy };
}

let policy: ScriptPolicy | undefined;

/** Under Trusted Types a plain string is no address; the address is the proxy's, which the page named. */
function setSource(script: HTMLScriptElement, url: string): void {
  const factory = (globalThis as TrustedTypesHolder).trustedTypes;
  if (factory) policy ??= factory.createPolicy("encke", { createScriptURL: (u) => u });
  script.src = policy ? policy.createScriptURL(url) : url;
}
