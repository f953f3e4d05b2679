import type { TransportName } from "./link.ts";

/** Where a socket's session stands with its links. */
export type LinkState = "idle" | "connecting" | "online" | "reconnecting" | "closed";

/** What the "link" event tells a page that wants to see the session at work. */
export interface LinkDetail {
  kind:
    | "packet-sent"
    | "packet-received"
    | "ack-sent"
    | "ack-received"
    /** The first link of the session works. */
    | "attach"
    /** The current link is gone. */
    | "cut"
    /** Another link has taken over. */
    | "resume";
  transport: TransportName | null;
  /** Of the packet, or the highest acknowledged one. */
  id?: number;
  /** Payload of the packet. */
  bytes?: number;
}
