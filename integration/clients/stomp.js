// @stomp/stompjs, whose hook is an object like a WebSocket.
import { Client } from "@stomp/stompjs";
import { Inbox, publish } from "./client.js";
import { options } from "./net.js";

/** As much of a WebSocket as stompjs uses. */
class Stream {
  binaryType = "arraybuffer";
  onopen = this.onmessage = this.onerror = this.onclose = null;

  constructor(host, port) {
    this.url = `tcp://${host}:${port}`;
    this.tcp = new TCPSocket(host, port, { binary: true, ...options });
    this.tcp.onopen = () => this.onopen?.({});
    this.tcp.onread = (bytes) => this.onmessage?.({ data: bytes.slice().buffer });
    this.tcp.onclose = (cause) => this.onclose?.({ code: cause.code === "closed" ? 1000 : 1006, reason: cause.message });
  }
  get readyState() {
    if (this.tcp.readyState < TCPSocket.OPEN) return 0;
    return this.tcp.readyState - TCPSocket.OPEN + 1;
  }
  send(data) {
    this.tcp.send(data);
  }
  close() {
    this.tcp.close().catch(() => {}); // onclose tells
  }
}

let stomp, stream;
const messages = new Inbox();

publish({
  connect: ({ host, port }) =>
    new Promise((resolve, reject) => {
      stomp = new Client({
        webSocketFactory: () => (stream = new Stream(host, port)),
        reconnectDelay: 0,
        heartbeatIncoming: 0,
        heartbeatOutgoing: 0,
        onConnect: (frame) => resolve({ version: frame.headers.version, transport: stream.tcp.transport }),
        onStompError: (frame) => reject(new Error(frame.headers.message)),
        onWebSocketClose: (event) => reject(new Error(`closed: ${event.reason}`)),
      });
      stomp.activate();
    }),
  /** Subscribes and resolves when the broker has confirmed it. */
  subscribe: (destination) =>
    new Promise((resolve) => {
      stomp.watchForReceipt("subscribed", () => resolve());
      stomp.subscribe(destination, (message) => messages.put({ text: message.body, bytes: [...message.binaryBody] }), { receipt: "subscribed" });
    }),
  send: (destination, text) => stomp.publish({ destination, body: text }),
  sendBytes: (destination, bytes) =>
    stomp.publish({ destination, binaryBody: Uint8Array.from(bytes), headers: { "content-type": "application/octet-stream" } }),
  heard: () => messages.take(),
  quit: () => stomp.deactivate(),
});
