// What a page does in the benchmark: one stream to the backend in each of three ways, and
// two measurements of it. The first 8 bytes of a stream say what the backend does.
"use strict";

const header = (role) => Uint8Array.from([role.charCodeAt(0), 0, 0, 0, 0, 0, 0, 0]);

/** Each opens a stream: {send(bytes), close()}; read(bytes) is called with what comes. */
const libraries = {
  bare({ relay }, read) {
    const socket = new WebSocket(relay);
    socket.binaryType = "arraybuffer";
    socket.onmessage = (event) => read(new Uint8Array(event.data));
    return opened(socket, {
      send: (bytes) => socket.send(bytes),
      close: () => socket.close(),
    });
  },

  sockjs({ sockjs, transport }, read) {
    const socket = new SockJS(sockjs, null, { transports: [transport] });
    socket.onmessage = (event) => read(fromBase64(event.data));
    return opened(socket, {
      send: (bytes) => socket.send(btoa(String.fromCharCode(...bytes))),
      close: () => socket.close(),
    });
  },

  async encke({ encke, port, transport }, read) {
    const socket = new TCPSocket("127.0.0.1", port, { proxy: encke, transports: [transport], binary: true });
    socket.onread = read;
    await socket.opened;
    return {
      send: (bytes) => socket.send(bytes),
      close: () => socket.reset(),
    };
  },
};

const opened = (socket, stream) =>
  new Promise((resolve, reject) => {
    socket.onopen = () => resolve(stream);
    socket.onclose = (event) => reject(new Error(`closed: ${event.code} ${event.reason}`));
  });

const fromBase64 = (text) => {
  const chars = atob(text);
  const bytes = new Uint8Array(chars.length);
  for (let i = 0; i < chars.length; i++) bytes[i] = chars.charCodeAt(i);
  return bytes;
};

/** Echoes of 64 bytes, one after the other; how long each took in ms. */
async function echo(args) {
  let got = 0;
  let wake;
  const stream = await libraries[args.library](args, (bytes) => {
    got += bytes.length;
    if (got >= 64) wake();
  });
  stream.send(header("E"));
  const message = crypto.getRandomValues(new Uint8Array(64));
  const took = [];
  for (let i = 0; i < args.echoes + 20; i++) {
    got = 0;
    const back = new Promise((resolve) => (wake = resolve));
    const began = performance.now();
    stream.send(message);
    await back;
    if (i >= 20) took.push(performance.now() - began);
  }
  stream.close();
  return took.sort((a, b) => a - b);
}

/** A download for so many seconds; MB/s after the first quarter of them. */
async function download(args) {
  let got = 0;
  const stream = await libraries[args.library](args, (bytes) => (got += bytes.length));
  stream.send(header("D"));
  const wait = (s) => new Promise((resolve) => setTimeout(resolve, s * 1000));
  await wait(args.seconds / 4);
  const [before, began] = [got, performance.now()];
  await wait((args.seconds * 3) / 4);
  const rate = (got - before) / 1000 / (performance.now() - began);
  stream.close();
  return rate;
}

/** Both. */
async function measure(args) {
  const took = await echo(args);
  const at = (part) => took[Math.floor((took.length - 1) * part)];
  return { P50: at(0.5), P99: at(0.99), MBs: await download(args) };
}

/** Measures, once the browser has nothing else to do, and says what has come of it. */
async function report(args) {
  await new Promise((resolve) => setTimeout(resolve, 1500));
  const result = await measure(args).catch((error) => ({ Error: String(error) }));
  await fetch("/report", { method: "POST", body: JSON.stringify(result) });
}
