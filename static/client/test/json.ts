import type { Bytes } from "../src/bytes.ts";
import type { Frame } from "../src/frame.ts";
import type { SessionRecord } from "../src/packet.ts";
import { hex, unhex } from "./vectors.ts";

/** Units as they stand in the shared vectors: bytes are hex. */
export type JSONUnit = { type: string } & { [field: string]: unknown };

const bytesFields = ["key", "data"];

function fromJSON(json: JSONUnit): { [field: string]: unknown } {
  const out: { [field: string]: unknown } = { ...json };
  for (const field of bytesFields) if (field in out) out[field] = unhex(String(out[field]));
  return out;
}

function toJSON(unit: object): JSONUnit {
  const out = { ...unit } as JSONUnit;
  for (const field of bytesFields) if (field in out) out[field] = hex(out[field] as Bytes);
  return out;
}

export function recordFromJSON(json: JSONUnit): SessionRecord {
  const defaults: { [type: string]: object } = { CLOSE: { cause: 0, retry: 0, text: "" }, WELCOME: { ack: 0 }, RESUME: { ack: 0 }, DATA: { data: "" } };
  return fromJSON({ ...defaults[json.type], ...json }) as unknown as SessionRecord;
}

export const recordToJSON = (r: SessionRecord): JSONUnit => toJSON(r);

export function frameFromJSON(json: JSONUnit): Frame {
  const out = fromJSON({ socket: 0, ...(json.type === "OPEN" ? { options: [] } : {}), ...json });
  if (json.type === "OPEN") out["options"] = (out["options"] as [number, string][]).map(([key, value]) => [key, unhex(value)]);
  if (json.type === "RESET") out["text"] ??= "";
  if (json.type === "GOAWAY") out["retry"] ??= 0;
  return out as unknown as Frame;
}

export function frameToJSON(f: Frame): JSONUnit {
  const out = toJSON(f);
  if (f.type === "OPEN") out["options"] = f.options.map(([key, value]) => [key, hex(value)]);
  return out;
}
