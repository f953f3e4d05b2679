// What the scenarios do with sockets, over TCPSocket's streams.
import { Checker, stream } from "./stream.js";

/** Every byte value, once. */
export const every = Uint8Array.from({ length: 256 }, (_, i) => i);

/** Opens a socket and waits until it is open. args: {host, port, transports}, see scenarios.js. */
export async function open(args, port = args.port, options = {}) {
  const socket = new TCPSocket(args.host, port, { transports: args.transports, ...options });
  const info = await socket.opened;
  return { socket, info, ...info };
}

/** Writes the first n bytes of stream key, waiting for the writer whenever it is full. */
export async function sendStream(writer, key, n, piece = 48 * 1024 + 1, progress = () => {}) {
  for (let pos = 0; pos < n; pos += piece) {
    const bytes = stream(key, pos, Math.min(piece, n - pos));
    await writer.ready;
    writer.write(bytes).then(() => progress(bytes.length), () => {}); // a failure shows in ready and close
  }
  await writer.ready;
}

/** Reads up to the end and checks that it was the first n bytes of stream key. */
export async function checkStream(readable, key, n) {
  const checker = new Checker(key, n);
  for (const reader = readable.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    checker.take(value);
  }
  checker.end();
  return checker.received;
}

/** Reads exactly n bytes. */
export async function readExactly(reader, n) {
  const bytes = new Uint8Array(n);
  for (let at = 0; at < n; ) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`the stream ended after ${at} of ${n} bytes`);
    if (at + value.length > n) throw new Error(`${at + value.length} bytes came, ${n} were expected`);
    bytes.set(value, at);
    at += value.length;
  }
  return bytes;
}

/** Reads up to the end. */
export async function readAll(readable) {
  return new Uint8Array(await new Response(readable).arrayBuffer());
}

/** Sends n bytes of stream key to an echo in pieces and checks what comes back. */
export async function echoStream(connection, key, n, piece) {
  const writer = connection.writable.getWriter();
  const [received] = await Promise.all([
    checkStream(connection.readable, key, n),
    sendStream(writer, key, n, piece).then(() => writer.close()),
  ]);
  await connection.socket.closed;
  return received;
}

export function expect(what, got, want) {
  if (got !== want) throw new Error(`${what}: got ${JSON.stringify(got)}, want ${JSON.stringify(want)}`);
}

export function expectBytes(what, got, want) {
  expect(`${what}: length`, got.length, want.length);
  for (let i = 0; i < want.length; i++) {
    if (got[i] !== want[i]) throw new Error(`${what}: byte ${i} is ${got[i]}, want ${want[i]}`);
  }
}
