import { type Cause, cause, causeFromWire, type CauseName } from "./cause.ts";
import type { Platform } from "./platform.ts";
import type { Reasons } from "./reasons.ts";

/** A refused opening with one of these causes ends the sockets with it. */
const tellable: readonly CauseName[] = ["going-away", "limit", "not-authenticated"];

/** The cause for sockets of a session that never began. */
export function whyNeverBegan(base: string, reasons: Reasons): Cause {
  const close = reasons.refusal()?.close;
  if (close && tellable.includes(causeFromWire(close.cause))) {
    return cause(causeFromWire(close.cause), close.text, close.retry);
  }
  const tooMany = reasons.tooMany();
  if (tooMany && !close) return cause("limit", tooMany.reason);
  return cause("no-transport", reasons.explain(base));
}

/**
 * Browsers hide from a page of another origin that it was refused. The proxy's own
 * script can be loaded by any page: when that works, and nothing else does, the
 * origin is what is wrong. Calls found only then.
 */
export function whetherOriginIsRefused(platform: Platform, base: string, found: () => void): void {
  const { location } = globalThis as { location?: Location };
  if (!location || location.origin === new URL(base).origin || !platform.fetch) return;
  platform.fetch(`${base}TCPSocket.js`, { method: "HEAD", cache: "no-store", credentials: "omit" }).then(
    (response) => {
      if (response.ok) found();
    },
    () => {
      // The proxy does not answer at all, or is not one.
    },
  );
}
