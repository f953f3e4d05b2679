import assert from "node:assert/strict";
import { test } from "node:test";
import { ByteWriter } from "../src/bytes.ts";
import { WireError } from "../src/cause.ts";
import { appendFrame, type Frame, FrameParser } from "../src/frame.ts";
import { frameFromJSON, frameToJSON, type JSONUnit } from "./json.ts";
import { hex, readVectors, unhex } from "./vectors.ts";

function encode(frames: Frame[]): Uint8Array<ArrayBuffer> {
  const out = new ByteWriter();
  for (const f of frames) appendFrame(out, f);
  return out.finish();
}

/** The frames of a stream, DATA pieces that follow each other joined. */
function parse(stream: Uint8Array<ArrayBuffer>, step: number): JSONUnit[] {
  const parser = new FrameParser();
  const got: JSONUnit[] = [];
  let lastData: JSONUnit | null = null;
  for (let i = 0; i < stream.length; i += step) {
    parser.feed(stream.slice(i, i + step), (f) => {
      const json = frameToJSON(f);
      if (f.type === "DATA" && lastData?.["socket"] === f.socket) {
        lastData["data"] = String(lastData["data"]) + String(json["data"]);
        return;
      }
      lastData = f.type === "DATA" ? json : null;
      got.push(json);
    });
  }
  return got;
}

test("frames are encoded and parsed as in the shared vectors", () => {
  const vectors = readVectors("tcpsocket/testdata/frames.txt");
  assert.ok(vectors.length > 8);
  for (const [json, bytes] of vectors) {
    const want = frameFromJSON(JSON.parse(json));
    assert.equal(hex(encode([want])), bytes, json);
    assert.deepEqual(parse(unhex(bytes), bytes.length), [frameToJSON(want)], bytes);
  }
});

const some: Frame[] = [
  { type: "OPEN", socket: 1, window: 1 << 20, port: 6667, host: "irc.example.org", options: [[1, unhex("01")], [2, unhex("9875")]] },
  { type: "DATA", socket: 1, data: new Uint8Array(300).fill(1) },
  { type: "OPENED", socket: 1, window: 196608, remote: "[::1]:7", local: "127.0.0.1:40000" },
  { type: "WINDOW", socket: 2 ** 40, n: 65536 },
  { type: "DATA", socket: 2, data: new Uint8Array([0]) },
  { type: "EOF", socket: 2 },
  { type: "CLOSE", socket: 2 },
  { type: "RESET", socket: 2, cause: 4, text: "refused" },
  { type: "GOAWAY", socket: 0, cause: 12, retry: 5 },
]; // prettier-ignore

test("frames may be cut anywhere", () => {
  const stream = encode(some);
  for (let step = 1; step < 40; step++) assert.deepEqual(parse(stream, step), some.map(frameToJSON), `pieces of ${step}`);
});

test("the bytes of a DATA frame do not wait for the whole frame", () => {
  const parser = new FrameParser();
  const got: string[] = [];
  parser.feed(encode([{ type: "DATA", socket: 3, data: new Uint8Array([1, 2, 3]) }]).slice(0, 4), (f) => got.push(f.type));
  assert.deepEqual(got, ["DATA"]);
});

test("what is not in the protocol is refused", () => {
  for (const [bytes, what] of [
    ["0001", "type 0"],
    ["0901", "unknown type"],
    ["030100", "empty DATA"],
    ["0301818040", "DATA of more than 1 MiB"],
  ]) {
    assert.throws(() => new FrameParser().feed(unhex(bytes), () => {}), WireError, what);
  }
});
