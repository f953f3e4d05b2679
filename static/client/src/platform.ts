import { type Clock, realClock } from "./clock.ts";

/** What the client uses of the browser, so that tests can put something else there. */
export interface Platform {
  readonly clock: Clock;
  readonly WebSocket?: typeof WebSocket | undefined;
  readonly fetch?: typeof fetch | undefined;
  readonly XMLHttpRequest?: typeof XMLHttpRequest | undefined;
  readonly EventSource?: typeof EventSource | undefined;
  readonly document?: Document | undefined;
  /** Whether the body of a fetch answer can be read while it arrives. */
  readonly streamingFetch: boolean;
}

/** Whether this is no browser: there nobody says for us where a request comes from. */
export const outside = typeof location === "undefined";

/** The engine this code runs in: a page, a worker or Node. */
export function thisPlatform(): Platform {
  const g = globalThis as Partial<typeof globalThis>;
  return {
    clock: realClock,
    WebSocket: g.WebSocket,
    fetch: g.fetch?.bind(globalThis),
    XMLHttpRequest: g.XMLHttpRequest,
    EventSource: g.EventSource,
    document: g.document,
    streamingFetch: !!(g.fetch && g.ReadableStream && g.AbortController && g.Response && "body" in g.Response.prototype),
  };
}
