// The page's half of the end-to-end scenarios; the other half is in integration's Go
// tests. Each scenario takes {host, port, transports, ...} and throws, or rejects, on
// the first thing that is not as it should be. What Go has to look at is returned.
import { echo } from "./echo.js";
import { checkStream, echoStream, every, expect, expectBytes, open, readAll, readExactly, sendStream } from "./sockets.js";
import { stream } from "./stream.js";

let parked; // what the first half of a scenario leaves for its second half

/** `bytes` down from a source. */
async function download(args) {
  const connection = (parked = await open(args));
  const received = await checkStream(connection.readable, args.key, args.bytes);
  await connection.writable.close();
  await connection.socket.closed;
  return { received };
}

/** `bytes` down from a source, and up to a sink whose answer is returned, at the same time. */
async function big(args) {
  const up = async () => {
    const connection = await open(args, args.sink);
    const writer = connection.writable.getWriter();
    await sendStream(writer, args.key, args.bytes);
    await writer.close();
    const { transport } = connection.socket; // null once it is over
    const answer = new TextDecoder().decode(await readAll(connection.readable));
    await connection.socket.closed;
    return { answer, transport };
  };
  const [received, sent] = await Promise.all([download({ ...args, port: args.source }), up()]);
  return { ...received, ...sent };
}

/** `count` sockets at once, each with a stream of its own. */
async function many(args) {
  const one = async (i) => echoStream(await open(args), 1000 + i, args.bytes + i, 1999 + i);
  const all = await Promise.all(Array.from({ length: args.count }, (_, i) => one(i)));
  return { received: all.reduce((a, b) => a + b, 0) };
}

/** The page ends its direction first: the backend answers only then. */
async function halfClose(args) {
  const connection = await open(args);
  const writer = connection.writable.getWriter();
  const sent = stream(args.key, 0, args.bytes);
  writer.write(sent).catch(() => {});
  await writer.close();
  expectBytes("answer to the end of the stream", await readAll(connection.readable), sent);
  await connection.socket.closed;
}

/** The backend ends its direction first: the page goes on writing. */
async function halfCloseByBackend(args) {
  const connection = await open(args);
  const greeting = new TextDecoder().decode(await readAll(connection.readable));
  expect("greeting", greeting, args.greeting);
  const writer = connection.writable.getWriter();
  await sendStream(writer, args.key, args.bytes);
  await writer.close();
  await connection.socket.closed;
}

/** A socket that cannot be opened: what the page learns, in each of the three ways. */
async function failing(args) {
  const socket = new TCPSocket(args.host, args.port, { transports: args.transports });
  let closes = 0;
  const told = new Promise((resolve) => (socket.onclose = (cause) => (closes++, resolve(cause))));
  let wasOpen = false;
  socket.onopen = () => (wasOpen = true);
  const reason = (promise) => promise.then(() => null, (error) => ({ name: error.name, code: error.code, number: error.number, message: error.message }));
  const [opened, closed] = await Promise.all([reason(socket.opened), reason(socket.closed)]);
  const cause = await told;
  await new Promise((resolve) => setTimeout(resolve)); // a second call would come in this turn
  expect("onopen was called", wasOpen, false);
  expect("calls of onclose", closes, 1);
  expect("code in onclose", cause.code, closed.code);
  expect("code in opened", opened.code, closed.code);
  expect("is a TCPSocketError", cause instanceof TCPSocket.Error, true);
  expect("readyState", socket.readyState, TCPSocket.CLOSED);
  return closed;
}

/** A backend that resets: everything it sent before arrives, then the cause. */
async function reset(args) {
  const connection = await open(args);
  const reader = connection.readable.getReader();
  const greeting = await readExactly(reader, args.greeting.length);
  expect("greeting", new TextDecoder().decode(greeting), args.greeting);
  const writer = connection.writable.getWriter();
  writer.write(every).catch(() => {});
  const code = (promise) => promise.then(() => "no error", (error) => error.code);
  return { closed: await code(connection.socket.closed), read: await code(reader.read()) };
}

/** Opens `count` sockets and uses each once. */
async function park(args) {
  parked = await Promise.all(Array.from({ length: args.count }, () => open(args)));
  for (const connection of parked) {
    const reader = connection.readable.getReader();
    connection.writable.getWriter().write(every).catch(() => {});
    expectBytes("echo", await readExactly(reader, every.length), every);
    reader.releaseLock();
  }
}

/** Sends half of `bytes` now, and the rest when the page goes. */
async function leave(args) {
  let connection = null;
  const half = args.bytes / 2;
  addEventListener("pagehide", () => connection.socket.send(stream(args.key, half, half)));
  connection = await open(args);
  connection.socket.send(stream(args.key, 0, half));
}

/** How the parked sockets end, which is not this side's doing. */
const parkedEnds = () => Promise.all(parked.map(({ socket }) => socket.closed.then(() => "closed", (error) => error.code)));

/** A socket nobody reads from, beside one that is used. */
async function slowReader(args) {
  parked = await open(args, args.source, { receiveBufferSize: 64 * 1024 });
  await echoStream(await open(args), 77, args.bytes);
  return { read: parked.socket.bytesRead };
}

/** Now the page reads: everything must arrive. */
async function slowReaderReads(args) {
  const received = await checkStream(parked.readable, args.key, args.length);
  await parked.writable.close();
  await parked.socket.closed;
  return { received };
}

/** A socket whose backend does not read, beside one that is used. */
async function stuckWriter(args) {
  const connection = await open(args, args.stuck);
  const writer = connection.writable.getWriter();
  parked = { connection, taken: 0 };
  parked.sent = sendStream(writer, args.key, args.length, undefined, (n) => (parked.taken += n)).then(() => writer.close());
  await echoStream(await open(args), 78, args.bytes);
  return { taken: parked.taken };
}

/** Now the backend reads: everything must arrive. */
async function stuckWriterWrites() {
  await parked.sent;
  await readAll(parked.connection.readable);
  await parked.connection.socket.closed;
}

/** `bytes` both ways at the same time, while Go harms the link; says what the socket noticed. */
async function exchange(args) {
  const connection = await open(args);
  const { socket } = connection;
  const states = [];
  const transports = [socket.transport];
  socket.addEventListener("statechange", () => states.push(socket.state));
  socket.addEventListener("transportchange", () => transports.push(socket.transport));
  const writer = connection.writable.getWriter();
  const [received] = await Promise.all([
    checkStream(connection.readable, args.down, args.bytes),
    sendStream(writer, args.up, args.bytes).then(() => writer.close()),
  ]);
  await socket.closed;
  return { received, states, transports };
}

/** Resolves when the download no longer gets anything, not even what was on its way. */
async function quiet() {
  for (let before = -1; before !== parked.socket.bytesRead; ) {
    before = parked.socket.bytesRead;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

/** The states of the parked sockets. */
const parkedStates = () => parked.map(({ socket }) => socket.state);

/** Starts a scenario that Go wants to disturb; finish returns its result. */
let running;
function start(name, args) {
  running = scenarios[name](args);
  running.catch(() => {}); // finish reports it
}
const finish = () => running;

/** Milliseconds per echo of `size` bytes, `count` times, one after the other. */
async function latency(args) {
  const began = performance.now();
  const connection = await open(args);
  const opening = performance.now() - began;
  const reader = connection.readable.getReader();
  const writer = connection.writable.getWriter();
  const took = [];
  for (let i = 0; i < args.count; i++) {
    const piece = stream(1, i * args.size, args.size);
    const from = performance.now();
    writer.write(piece).catch(() => {});
    const back = await readExactly(reader, args.size);
    took.push(performance.now() - from);
    expectBytes("echo", back, piece);
  }
  const { transport } = connection.socket;
  await connection.socket.close();
  return { took, opening, transport };
}

const scenarios = {
  echo, download, big, many, halfClose, halfCloseByBackend, failing, reset,
  park, parkedEnds, leave, slowReader, slowReaderReads, stuckWriter, stuckWriterWrites,
  exchange, quiet, parkedStates, start, finish, latency,
};
globalThis.scenarios = scenarios;
