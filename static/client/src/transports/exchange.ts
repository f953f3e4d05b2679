import { encodeBase64url } from "../base64.ts";
import { readBatch } from "../batch.ts";
import type { Bytes } from "../bytes.ts";
import { decodeRecords } from "../encoding.ts";
import { type Exchange, type LinkEnd, Refusal } from "../link.ts";
import type { SessionRecord } from "../packet.ts";
import type { Platform } from "../platform.ts";
import { post } from "./post.ts";
import { networkError, refused, unparsable } from "./refusal.ts";
import { loadScript } from "./script.ts";

/** Posts records to url. */
export function postRecords(platform: Platform, url: string, records: Bytes): Exchange {
  let abort = (): void => {};
  const answer = new Promise<SessionRecord[]>((resolve, reject) => {
    abort = post(platform, url, records, ({ status, body }) => {
      if (status === 200) settle(() => decodeRecords(body), resolve, reject);
      else reject(new Refusal(refused(status, body)));
    });
  });
  return { answer, abort: () => abort() };
}

/** Loads a script whose address carries records as the variable d. */
export function scriptRecords(
  platform: Platform,
  address: (variables: { d: string; callback: string; seq: string }) => string,
  records: Bytes,
): Exchange {
  const d = encodeBase64url(records);
  let abort = (): void => {};
  const answer = new Promise<SessionRecord[]>((resolve, reject) => {
    abort = loadScript(
      platform,
      (v) => address({ d, ...v }),
      (batch, failure) => {
        if (failure) reject(new Refusal(networkError(failure)));
        else settle(() => readBatch(batch), resolve, reject);
      },
    );
  });
  return { answer, abort: () => abort() };
}

/** Why an exchange failed. */
export function endOf(failure: unknown): LinkEnd {
  return failure instanceof Refusal ? failure.end : networkError(failure instanceof Error ? failure.message : String(failure));
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
