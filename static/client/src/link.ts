import type { Bytes } from "./bytes.ts";
import type { Endpoint } from "./endpoint.ts";
import type { CloseRecord, SessionRecord } from "./packet.ts";
import type { Platform } from "./platform.ts";

export type TransportName =
  | "websocket"
  | "fetch-streaming"
  | "xhr-streaming"
  | "eventsource"
  | "long-polling"
  | "iframe"
  | "jsonp";

/** Why a link ended. */
export interface LinkEnd {
  /**
   * cut: the network did it. displaced: a newer link took over. refused: the proxy,
   * or something that speaks HTTP for it, said no. retired: its owner asked it to.
   */
  kind: "cut" | "displaced" | "refused" | "retired";
  /** In words for a developer. */
  reason: string;
  /** HTTP status, if there was one. */
  status?: number;
  /** What the proxy said, if it did. */
  close?: CloseRecord;
}

/** What a link tells its owner. After ended, or after close was called, nothing more. */
export interface LinkEvents {
  /**
   * Asks for the records of the next request: NEW or RESUME, then packets of at
   * most packetBytes. null: the link is not wanted any more and must end. early: nothing
   * shows yet that the link works, and there may be another one; null: ask again when
   * it is open.
   */
  compose(packetBytes: number, early?: boolean): Bytes | null;
  /**
   * An answer begins: ids count from its first SEQ. again: the next request goes out
   * as soon as the page has taken this answer, and can carry what the page then says.
   */
  began(again?: boolean): void;
  /** Something arrived, if only a heartbeat. */
  records(records: SessionRecord[]): void;
  ended(end: LinkEnd): void;
}

/** One running link: a WebSocket, or a row of requests that carry a session's downlink. */
export interface Link {
  /** Drops the link at once. */
  close(): void;
  /**
   * Only on links that carry packets both ways: sends whole records, once the link is
   * open. last: also if it is closed before that.
   */
  send?(records: Bytes, last?: boolean): void;
  /** Bytes given to send that have not left yet. */
  buffered?(): number;
}

/** A browser technique that carries a session. */
export interface Transport {
  readonly name: TransportName;
  /** duplex: both ways. stream: one answer that does not end. poll: an answer ends with its packets. */
  readonly kind: "duplex" | "stream" | "poll";
  /** How packets get to the proxy. */
  readonly uplink: "link" | "post" | "script";
  /** Most seconds that a downlink may be silent, where its end can not be noticed otherwise. */
  readonly mostHold?: number;
  /** Why the technique can not work here; empty if it may. */
  missing(platform: Platform): string;
  /** Starts a link. Events come later, never before open has returned. */
  open(endpoint: Endpoint, platform: Platform, events: LinkEvents): Link;
}

/** One request of an uplink. */
export interface Exchange {
  /** The records of the answer. Rejects with a Refusal, or with any error when the network failed. */
  readonly answer: Promise<SessionRecord[]>;
  abort(): void;
}

/** A LinkEnd as an exception. */
export class Refusal extends Error {
  constructor(readonly end: LinkEnd) {
    super(end.reason);
  }
}
