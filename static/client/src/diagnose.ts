import { type Cause, cause, causeFromWire, type CauseName } from "./cause.ts";
import type { Platform } from "./platform.ts";
import { originHint, type Reasons } from "./reasons.ts";

/** A refused opening with one of these causes ends the sockets with it. */
const tellable: readonly CauseName[] = ["going-away", "limit", "not-authenticated"];

/** How long the proxy has for the question below, in ms. */
const answerWithin = 2000;

/** Calls done once with the cause for sockets of a session that never began. */
export function explainFailure(platform: Platform, base: string, reasons: Reasons, done: (why: Cause) => void): void {
  const refusal = reasons.refusal();
  const close = refusal?.close;
  if (close && tellable.includes(causeFromWire(close.cause))) {
    done(cause(causeFromWire(close.cause), close.text, close.retry));
    return;
  }
  const text = reasons.explain(base);
  if (refusal) done(cause("no-transport", text));
  else whetherOrigin(platform, base, (origin) => done(cause("no-transport", origin ? originHint(base) : text)));
}

/**
 * Browsers hide from a page of another origin why it was refused. The proxy's own
 * script can be loaded by any page: when that works, the origin is what is wrong.
 */
function whetherOrigin(platform: Platform, base: string, done: (origin: boolean) => void): void {
  const { location } = globalThis as { location?: Location };
  const crossOrigin = location !== undefined && location.origin !== new URL(base).origin;
  if (!crossOrigin || !platform.fetch) {
    done(false);
    return;
  }
  let asked = true;
  const finish = (origin: boolean): void => {
    if (!asked) return;
    asked = false;
    stop();
    done(origin);
  };
  const stop = platform.clock.after(answerWithin, () => finish(false));
  platform.fetch(`${base}TCPSocket.js`, { method: "HEAD", cache: "no-store", credentials: "omit" }).then(
    (response) => finish(response.ok),
    () => finish(false),
  );
}
