import type { ErrorCode } from "../error.ts";

/** Why a socket could not be opened, or was lost. */
export const Errors = {
  ConnectionTimeout: 101,
  InvalidHandshake: 102,
  UserConnectionReset: 103,
  Unauthorized: 106,
  RemoteConnectionFailed: 108,
};

/** Why a socket that was open has ended. */
export const Statuses = {
  ServerClosedConnection: 201,
  SocketControlKilled: 301,
};

const failed = Errors.RemoteConnectionFailed;
const closed = Statuses.ServerClosedConnection;

/**
 * The codes of causes: of a socket that could not be opened, and of one that was
 * open. Pages know no others, and do not ask which failure of the network it was.
 */
const codes: { readonly [cause in ErrorCode]: readonly [opening: number, open: number] } = {
  closed: [failed, closed],
  denied: [Errors.Unauthorized, closed],
  "bad-target": [Errors.InvalidHandshake, closed],
  "name-not-found": [failed, closed],
  refused: [failed, closed],
  unreachable: [failed, closed],
  "timed-out": [failed, closed],
  reset: [failed, closed],
  idle: [failed, closed],
  limit: [failed, closed],
  "tls-failed": [failed, closed],
  "not-authenticated": [Errors.Unauthorized, closed],
  "going-away": [failed, closed],
  "session-lost": [Errors.ConnectionTimeout, Errors.ConnectionTimeout],
  "protocol-error": [Errors.InvalidHandshake, closed],
  displaced: [Errors.ConnectionTimeout, Errors.ConnectionTimeout],
  "no-transport": [Errors.InvalidHandshake, Errors.ConnectionTimeout],
  internal: [failed, closed],
  "invalid-state": [Errors.InvalidHandshake, closed],
};

/** What onclose gets. */
export function codeOf(cause: ErrorCode, wasOpen: boolean): number {
  return codes[cause][wasOpen ? 1 : 0];
}
