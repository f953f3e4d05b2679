import type { Bytes } from "./bytes.ts";

/** A numbered piece of a session's stream: bytes, or null for the end of the stream. */
export type Packet = Bytes | null;

/** The units of both encodings of csp/PROTOCOL.md; field names are those of the shared vectors. */
export type SessionRecord =
  | { type: "NOP" }
  | { type: "NEW"; version: number; key: Bytes }
  | { type: "RESUME"; session: string; ack: number }
  | { type: "WELCOME"; session: string; ack: number; window: number; heartbeat: number }
  | { type: "SEQ"; id: number }
  | { type: "DATA"; data: Bytes }
  | { type: "END" }
  | { type: "ACK"; id: number }
  | { type: "PING" }
  | { type: "PONG" }
  | CloseRecord;

/** The session, or the link, is over. */
export interface CloseRecord {
  type: "CLOSE";
  /** Number in the table of causes. */
  cause: number;
  /** Seconds to stay away; 0: not said. */
  retry: number;
  text: string;
}

/** The version that NEW announces. */
export const protocolVersion = 1;

/** Largest payload of one packet, in bytes. */
export const maxPacket = 64 * 1024;

/** What a packet counts at least towards every bound, in bytes. */
export const minPacketCost = 256;

export function packetCost(packet: Packet): number {
  return Math.max(packet ? packet.length : 0, minPacketCost);
}
