import { type Cause, type CauseName, causeMeaning, causeNumber } from "./cause.ts";
import type { TransportName } from "./link.ts";

/** Why one transport did not work, in words for a developer. */
export interface Attempt {
  transport: TransportName;
  reason: string;
}

/** What names an error that is the caller's own doing rather than a cause of the table. */
export type ErrorCode = CauseName | "invalid-state";

/**
 * Why a socket ended or could not be opened. `name` is what Direct Sockets would
 * use, `code` the name in the table of causes ("refused", "denied", ...) and
 * "closed" for a clean end.
 */
export class TCPSocketError extends Error {
  readonly code: ErrorCode;
  /** The number of the cause on the wire; -1 for "invalid-state". */
  readonly number: number;
  /** Seconds to stay away, if the proxy said so. */
  readonly retryAfter?: number;
  /** For "no-transport" and "session-lost": what was tried and why it did not work. */
  readonly attempts?: readonly Attempt[];

  constructor(code: ErrorCode, message: string, more: { retry?: number; attempts?: readonly Attempt[] } = {}) {
    super(message);
    this.name = directSocketsName(code);
    this.code = code;
    this.number = code === "invalid-state" ? -1 : causeNumber(code);
    if (more.retry) this.retryAfter = more.retry;
    if (more.attempts) this.attempts = more.attempts;
  }
}

/** The error for a cause; where names what it happened to, such as "example.org:6667". */
export function errorOf(why: Cause, where: string, attempts?: readonly Attempt[]): TCPSocketError {
  const text = why.text || causeMeaning[why.code];
  const more = attempts ? { retry: why.retry, attempts } : { retry: why.retry };
  return new TCPSocketError(why.code, `${where}: ${why.code}: ${text}`, more);
}

export function invalidState(message: string): TCPSocketError {
  return new TCPSocketError("invalid-state", message);
}

function directSocketsName(code: ErrorCode): string {
  switch (code) {
    case "denied":
    case "not-authenticated":
      return "NotAllowedError";
    case "bad-target":
      return "TypeError";
    case "invalid-state":
      return "InvalidStateError";
    default:
      return "NetworkError";
  }
}
