import { encodeRecords } from "../encoding.ts";
import type { Endpoint } from "../endpoint.ts";
import type { Exchange, Transport } from "../link.ts";
import { maxPacket, type SessionRecord } from "../packet.ts";
import type { Platform } from "../platform.ts";
import { postRecords, scriptRecords } from "./exchange.ts";
import { scriptPackets } from "./jsonp.ts";
import { canPost } from "./post.ts";

/** Most packet bytes of one POST. */
const postPackets = 256 * 1024;

/** Most bytes that go into an address. */
const longestScript = 5800;

/** How a transport that only carries downlinks gets packets to the proxy. */
export interface UplinkWay {
  /** Most packet bytes of one request. */
  readonly limit: number;
  /** Largest packet it can carry. */
  readonly packet: number;
  send(records: SessionRecord[]): Exchange;
}

/** The way up for transport t. */
export function uplinkWay(t: Transport, endpoint: Endpoint, platform: Platform): UplinkWay {
  const byPost = (records: SessionRecord[]): Exchange => postRecords(platform, endpoint.session("send"), encodeRecords(records));
  if (t.uplink !== "script") return { limit: postPackets, packet: maxPacket, send: byPost };
  return {
    limit: scriptPackets,
    packet: scriptPackets,
    send: (records) => {
      const body = encodeRecords(records);
      // A packet that was cut for another transport may be too large for an address.
      if (body.length > longestScript && canPost(platform)) return byPost(records);
      return scriptRecords(platform, (v) => endpoint.session("jsonp-send", v), body);
    },
  };
}
