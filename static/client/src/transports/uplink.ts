import { encodeBase64url } from "../base64.ts";
import { readBatch } from "../batch.ts";
import type { Bytes } from "../bytes.ts";
import { decodeRecords, encodeRecords } from "../encoding.ts";
import type { Endpoint } from "../endpoint.ts";
import { type Exchange, Refusal, type Transport } from "../link.ts";
import { maxPacket, type SessionRecord } from "../packet.ts";
import type { Platform } from "../platform.ts";
import { scriptPackets } from "./jsonp.ts";
import { canPost, post } from "./post.ts";
import { networkError, refused, unparsable } from "./refusal.ts";
import { loadScript } from "./script.ts";

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
  if (t.uplink !== "script") {
    return { limit: postPackets, packet: maxPacket, send: (records) => postRecords(endpoint, platform, encodeRecords(records)) };
  }
  return {
    limit: scriptPackets,
    packet: scriptPackets,
    send: (records) => {
      const body = encodeRecords(records);
      // A packet that was cut for another transport may be too large for an address.
      return body.length > longestScript && canPost(platform)
        ? postRecords(endpoint, platform, body)
        : scriptRecords(endpoint, platform, body);
    },
  };
}

function postRecords(endpoint: Endpoint, platform: Platform, body: Bytes): Exchange {
  let abort = (): void => {};
  const answer = new Promise<SessionRecord[]>((resolve, reject) => {
    abort = post(platform, endpoint.session("send"), body, (a) => {
      if (a.status !== 200) reject(new Refusal(refused(a.status, a.body)));
      else settle(() => decodeRecords(a.body), resolve, reject);
    });
  });
  return { answer, abort };
}

function scriptRecords(endpoint: Endpoint, platform: Platform, body: Bytes): Exchange {
  let abort = (): void => {};
  const answer = new Promise<SessionRecord[]>((resolve, reject) => {
    const d = encodeBase64url(body);
    const address = (v: { callback: string; seq: string }): string => endpoint.session("jsonp-send", { d, ...v });
    abort = loadScript(platform, address, (batch, failure) => {
      if (failure) reject(new Refusal(networkError(failure)));
      else settle(() => readBatch(batch), resolve, reject);
    });
  });
  return { answer, abort };
}

function settle(read: () => SessionRecord[], resolve: (r: SessionRecord[]) => void, reject: (e: Refusal) => void): void {
  let records: SessionRecord[];
  try {
    records = read();
  } catch (e) {
    reject(new Refusal(unparsable(e)));
    return;
  }
  resolve(records);
}
