import type { Bytes } from "../bytes.ts";
import { encodeBase64url } from "../base64.ts";
import { causeFromWire } from "../cause.ts";
import { decodeRecords } from "../encoding.ts";
import type { Endpoint } from "../endpoint.ts";
import type { Link, LinkEnd, LinkEvents, Transport } from "../link.ts";
import { outside, type Platform } from "../platform.ts";
import { networkError, unparsable } from "./refusal.ts";

/** Most packet bytes behind the first record. */
const firstPackets = 256 * 1024;

/** Most of them in the request for the WebSocket, whose headers must stay small. */
const earlyPackets = 1024;

/** Offered with the first message in that request, and named in the answer by who takes it. */
const subprotocol = "encke";

/** One WebSocket carries both directions in binary messages. */
export const websocket: Transport = {
  name: "websocket",
  kind: "duplex",
  uplink: "link",
  missing: (platform) => (platform.WebSocket ? "" : "no WebSocket here"),
  open: (endpoint, platform, events) => new WebSocketLink(endpoint, platform, events),
};

class WebSocketLink implements Link {
  private socket: WebSocket | null = null;
  private wanted = true;
  private opened = false;
  private waiting: Bytes[] = []; // until it is open
  private last = false; // and also when nobody wants it any more

  constructor(
    endpoint: Endpoint,
    platform: Platform,
    private readonly events: LinkEvents,
  ) {
    platform.clock.after(0, () => {
      if (this.wanted) this.connect(endpoint, platform.WebSocket!);
    });
  }

  send(records: Bytes, last = false): void {
    this.last = last;
    if (this.opened) this.socket?.send(records);
    else this.waiting.push(records);
  }

  buffered(): number {
    return this.waiting.reduce((n, records) => n + records.length, this.socket?.bufferedAmount ?? 0);
  }

  close(): void {
    this.wanted = false;
    const socket = this.socket;
    this.socket = null;
    if (!socket) return;
    socket.onmessage = socket.onclose = null;
    socket.onerror = () => {}; // closing one that is still connecting is an error event
    if (!this.opened && this.last) {
      socket.onopen = () => {
        this.flush(socket);
        socket.close();
      };
      return;
    }
    socket.onopen = null;
    socket.close();
  }

  private connect(endpoint: Endpoint, Constructor: typeof WebSocket): void {
    const early = this.events.compose(earlyPackets, true);
    const protocols = early ? [subprotocol, encodeBase64url(early)] : [];
    try {
      const url = endpoint.downlink("websocket").replace(/^http/, "ws");
      // Engines that are no browsers take headers too.
      const init = outside ? ({ protocols, headers: { Origin: endpoint.origin } } as unknown as string[]) : protocols;
      this.start(new Constructor(url, init), early);
    } catch (e) {
      // A page's policy, or an insecure address in a secure page.
      this.end(networkError(`the browser does not allow it (${e instanceof Error ? e.message : String(e)})`));
    }
  }

  private start(socket: WebSocket, early: Bytes | null): void {
    this.socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      this.opened = true;
      const taken = early !== null && socket.protocol === subprotocol;
      const first = early ?? this.events.compose(firstPackets);
      if (!first) {
        this.end({ kind: "retired", reason: "not needed any more" });
        return;
      }
      if (!taken) socket.send(first);
      this.flush(socket);
      this.events.began();
    };
    socket.onmessage = (e: MessageEvent<unknown>) => this.received(e.data);
    socket.onclose = (e) => this.end(this.closed(e));
  }

  private flush(socket: WebSocket): void {
    for (const records of this.waiting.splice(0)) socket.send(records);
  }

  private received(data: unknown): void {
    if (!(data instanceof ArrayBuffer)) {
      this.end(unparsable("a text message"));
      return;
    }
    let records;
    try {
      records = decodeRecords(new Uint8Array(data));
    } catch (e) {
      this.end(unparsable(e));
      return;
    }
    this.events.records(records);
  }

  private closed(e: CloseEvent): LinkEnd {
    if (!this.opened) return networkError(`closed before it opened (code ${e.code})`);
    if (e.code < 4000) return networkError(`closed with code ${e.code}`);
    const cause = causeFromWire(e.code - 4000);
    return { kind: cause === "displaced" ? "displaced" : "cut", reason: `closed with code ${e.code} (${cause})` };
  }

  private end(end: LinkEnd): void {
    this.close();
    this.events.ended(end);
  }
}
