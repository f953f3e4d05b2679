import { decodeBatch } from "../batch.ts";
import type { Bytes } from "../bytes.ts";
import { causeFromWire, causeMeaning } from "../cause.ts";
import { decodeRecords } from "../encoding.ts";
import type { LinkEnd } from "../link.ts";
import type { CloseRecord, SessionRecord } from "../packet.ts";

/** The end of a link whose answer had a status other than 200; body is in the endpoint's encoding. */
export function refused(status: number, body: Bytes | string): LinkEnd {
  if (status === 0) return networkError();
  let close: CloseRecord | undefined;
  try {
    close = closeIn(typeof body === "string" ? decodeBatch(body) : decodeRecords(body));
  } catch {
    // Not the proxy's answer, or one that is a fixed text.
  }
  const end: LinkEnd = { kind: "refused", status, reason: `HTTP ${status}` };
  if (close) {
    end.close = close;
    end.reason += `: ${closeText(close)}`;
  } else {
    const text = plainText(body);
    if (text) end.reason += `: ${text}`;
  }
  return end;
}

/** A short line of text, as error pages of servers for machines are; anything else is no help. */
function plainText(body: Bytes | string): string {
  const text = (typeof body === "string" ? body : new TextDecoder().decode(body.subarray(0, 201))).trim();
  return /^[ -~]{1,200}$/.test(text) && !text.startsWith("<") ? text : "";
}

/** The end of a link that a CLOSE record ended before anything else arrived. */
export function refusedBy(close: CloseRecord): LinkEnd {
  return { kind: "refused", reason: closeText(close), close };
}

export function networkError(reason = "network error"): LinkEnd {
  return { kind: "cut", reason };
}

/** What was received is not what the protocol says: something on the way wrote it. */
export function unparsable(e: unknown): LinkEnd {
  return { kind: "cut", reason: `not an answer of the proxy (${e instanceof Error ? e.message : String(e)})` };
}

export function closeIn(records: readonly SessionRecord[]): CloseRecord | undefined {
  for (const r of records) if (r.type === "CLOSE") return r;
  return undefined;
}

function closeText(close: CloseRecord): string {
  const name = causeFromWire(close.cause);
  return `${name}: ${close.text || causeMeaning[name]}`;
}
