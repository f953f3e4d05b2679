/**
 * The one table of reasons for which a socket or a session ends. Numbers and
 * names are those of cause/cause.go; a number is never given a new meaning.
 */
export const causeNames = [
  "closed",
  "denied",
  "bad-target",
  "name-not-found",
  "refused",
  "unreachable",
  "timed-out",
  "reset",
  "idle",
  "limit",
  "tls-failed",
  "not-authenticated",
  "going-away",
  "session-lost",
  "protocol-error",
  "displaced",
  "no-transport",
  "internal",
] as const;

export type CauseName = (typeof causeNames)[number];

/** A cause as it travels, with a text that may be empty. */
export interface Cause {
  code: CauseName;
  text: string;
  /** Seconds to wait before trying again; 0: not said. */
  retry: number;
}

/** The name for a number received from the proxy; unknown numbers are protocol errors. */
export function causeFromWire(n: number): CauseName {
  return causeNames[n] ?? "protocol-error";
}

/** The number of a cause on the wire. */
export function causeNumber(name: CauseName): number {
  return causeNames.indexOf(name);
}

export function cause(code: CauseName, text = "", retry = 0): Cause {
  return { code, text, retry };
}

/** What each cause means to the developer of a page. */
export const causeMeaning: { readonly [name in CauseName]: string } = {
  closed: "both sides have finished",
  denied: "the proxy does not allow this target or this page",
  "bad-target": "the host, the port or an option is not well formed",
  "name-not-found": "the host name does not resolve",
  refused: "nobody listens on this port",
  unreachable: "there is no route to the host",
  "timed-out": "connecting took too long",
  reset: "the connection was cut",
  idle: "nothing happened for longer than the proxy allows",
  limit: "a limit of the proxy was reached",
  "tls-failed": "the TLS handshake with the backend failed",
  "not-authenticated": "a token is missing or not valid",
  "going-away": "the proxy is stopping",
  "session-lost": "the session with the proxy was lost",
  "protocol-error": "something arrived that is not in the protocol",
  displaced: "another link took over the session",
  "no-transport": "no transport reached the proxy",
  internal: "a fault in the proxy",
};

/** Thrown by parsers: these bytes are not what the protocol says. */
export class WireError extends Error {
  override name = "WireError";
}
