// wisp-js.
import { client } from "@mercuryworkshop/wisp-js/client";
import { Inbox, difference, gathered, pattern } from "./page.js";

let connection;

/** Opens a stream whose data and reason of the end can be waited for. */
function open(host, port, type) {
  const stream = connection.create_stream(host, port, type);
  const data = new Inbox();
  const ends = new Inbox();
  stream.onmessage = (bytes) => data.put(bytes);
  stream.onclose = (reason) => ends.put(reason);
  return { stream, data, end: () => ends.until((all) => all[0]) };
}

globalThis.client = {
  /** Resolves when streams may be opened, or to the failure. */
  connect: (url, version) =>
    new Promise((resolve) => {
      connection = new client.ClientConnection(url, { wisp_version: version });
      connection.onopen = () => resolve({ version: connection.wisp_version, motd: connection.server_motd ?? "", credit: connection.max_buffer_size });
      connection.onclose = () => resolve({ failure: "closed" });
      connection.onerror = () => resolve({ failure: "error" });
    }),
  /** Sends n bytes in pieces to an echo server on each of some streams, and compares what comes back. */
  async echo(host, port, streams, n, piece) {
    const all = Array.from({ length: streams }, () => open(host, port));
    for (let at = 0; at < n; at += piece) {
      for (const { stream } of all) stream.send(pattern(Math.min(piece, n - at), at));
    }
    const places = [];
    for (const { stream, data } of all) {
      places.push(difference(await data.until((pieces) => gathered(pieces, n)), n));
      stream.close(0x02);
    }
    return places;
  },
  /** What a server says until it ends, and the reason. */
  async hear(host, port, type) {
    const { data, end } = open(host, port, type);
    const reason = await end();
    const text = await data.until((pieces) => new TextDecoder().decode(gathered(pieces, 0)));
    return { text, reason };
  },
  /** Two streams: the first to a server that reads nothing, the second an echo. */
  async besides(stuckPort, echoPort, host) {
    const stuck = open(host, stuckPort);
    for (let i = 0; i < 400; i++) stuck.stream.send(pattern(16384));
    const second = open(host, echoPort);
    for (let i = 1; i <= 50; i++) {
      second.stream.send(pattern(1));
      await second.data.until((pieces) => gathered(pieces, i));
    }
    return stuck.stream.send_buffer.length;
  },
  /** The polyfill of WebSocket, as old applications of wsproxy use it. */
  socket: (url, text) =>
    new Promise((resolve, reject) => {
      const ws = new client.WispWebSocket(url);
      ws.binaryType = "arraybuffer";
      let heard = "";
      ws.onopen = () => ws.send(text);
      ws.onmessage = ({ data }) => {
        heard += new TextDecoder().decode(data);
        if (heard.length === text.length) resolve(heard);
      };
      ws.onerror = () => reject(new Error("error"));
    }),
};
