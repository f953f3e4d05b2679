import type { Bytes } from "./bytes.ts";
import type { TCPSocketError } from "./error.ts";
import type { LinkDetail } from "./state.ts";

/** Bytes or text of the backend. */
export class ReadEvent extends Event {
  constructor(readonly data: string | Bytes) {
    super("read");
  }
}

/** The end of a socket; cause.code is "closed" for a clean one. */
export class CloseEvent extends Event {
  constructor(readonly cause: TCPSocketError) {
    super("close");
  }
}

/** Diagnostics: what the session does on its links. */
export class LinkEvent extends Event {
  constructor(readonly detail: LinkDetail) {
    super("link");
  }
}
