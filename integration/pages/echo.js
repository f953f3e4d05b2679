// The scenario echo: all byte values through each of the three ways to use a socket.
import { every, expect, expectBytes, open, readExactly } from "./sockets.js";

const sizes = [1, 2, 3, 5, 7, 13, 64, 127, 255, 256, 257, 1021, 4096, 16383, 65535, 65537];

/** All byte values in pieces of odd sizes, through each of the three ways to use a socket. */
export async function echo(args) {
  const connection = await open(args);
  expect("remoteAddress", connection.remoteAddress, "127.0.0.1");
  expect("remotePort", connection.remotePort, args.port);
  expect("readyState", connection.socket.readyState, TCPSocket.OPEN);
  expect("state", connection.socket.state, "online");
  const reader = connection.readable.getReader();
  const writer = connection.writable.getWriter();
  let value = 0;
  for (const size of sizes) {
    const piece = Uint8Array.from({ length: size }, () => value++ & 255);
    writer.write(piece).catch(() => {});
    expectBytes(`echo of ${size} bytes`, await readExactly(reader, size), piece);
  }
  const { transport } = connection.socket;
  await writer.close();
  expect("done after both ends", (await reader.read()).done, true);
  await connection.socket.closed;

  await echoBinary(args);
  await echoText(args);
  return { transport };
}

/** onread with bytes; send takes every kind of bytes, also before the socket is open. */
async function echoBinary(args) {
  const socket = new TCPSocket(args.host, args.port, { transports: args.transports, binary: true });
  const received = [];
  const closed = new Promise((resolve) => (socket.onclose = resolve));
  const all = new Promise((resolve) => {
    socket.onread = (bytes) => {
      expect("onread gets bytes", bytes instanceof Uint8Array, true);
      received.push(...bytes);
      if (received.length === 4 * 256) resolve();
    };
  });
  socket.send(every);
  await new Promise((resolve) => (socket.onopen = resolve));
  socket.send(every.slice().buffer);
  socket.send(new DataView(every.slice().buffer, 0, 100));
  socket.send(new Uint16Array(every.slice().buffer, 100, 78));
  socket.send(every.subarray(0, 256));
  await all;
  expectBytes("binary echo", received, [...every, ...every, ...every, ...every]);
  await socket.close();
  expect("cause of the end", (await closed).code, "closed");
}

/** Orbited's way: open(), strings out, decoded text in whatever the borders are. */
async function echoText(args) {
  const text = "déjà vu, 漢字, 🪐☄️, \0\x7f\n".repeat(997);
  const socket = new TCPSocket({ transports: args.transports });
  let received = "";
  const closed = new Promise((resolve) => (socket.onclose = resolve));
  const all = new Promise((resolve) => {
    socket.onread = (data) => {
      received += data;
      if (received.length >= text.length) resolve();
    };
  });
  const opened = new Promise((resolve) => (socket.onopen = resolve));
  socket.open(args.host, args.port);
  await opened;
  // Cut between code points: a lone surrogate has no UTF-8.
  const points = [...text];
  for (let at = 0, size = 1; at < points.length; at += size, size = (size * 7) % 1009) {
    socket.send(points.slice(at, at + size).join(""));
  }
  await all;
  expect("text echo", received, text);
  await socket.close();
  expect("cause of the end", (await closed).code, "closed");
}
