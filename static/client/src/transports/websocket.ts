import type { Bytes } from "../bytes.ts";
import { causeFromWire } from "../cause.ts";
import { decodeRecords } from "../encoding.ts";
import type { Endpoint } from "../endpoint.ts";
import type { Link, LinkEnd, LinkEvents, Transport } from "../link.ts";
import { outside, type Platform } from "../platform.ts";
import { networkError, unparsable } from "./refusal.ts";

/** Most packet bytes behind the first record. */
const firstPackets = 256 * 1024;

/** One WebSocket carries both directions in binary messages. */
export const websocket: Transport = {
  name: "websocket",
  kind: "duplex",
  roundTrips: 2,
  uplink: "link",
  missing: (platform) => (platform.WebSocket ? "" : "no WebSocket here"),
  open: (endpoint, platform, events) => new WebSocketLink(endpoint, platform, events),
};

class WebSocketLink implements Link {
  private socket: WebSocket | null = null;
  private opened = false;

  constructor(
    endpoint: Endpoint,
    platform: Platform,
    private readonly events: LinkEvents,
  ) {
    try {
      const url = endpoint.downlink("websocket").replace(/^http/, "ws");
      // Engines that are no browsers take headers in place of protocols.
      const init = outside ? ({ headers: { Origin: endpoint.origin } } as unknown as string[]) : [];
      this.start(new platform.WebSocket!(url, init));
    } catch (e) {
      // A page's policy, or an insecure address in a secure page.
      const reason = `the browser does not allow it (${e instanceof Error ? e.message : String(e)})`;
      platform.clock.after(0, () => this.end(networkError(reason)));
    }
  }

  send(records: Bytes): void {
    this.socket?.send(records);
  }

  buffered(): number {
    return this.socket?.bufferedAmount ?? 0;
  }

  close(): void {
    const socket = this.socket;
    this.socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.onerror = () => {}; // closing one that is still connecting is an error event
    socket.close();
  }

  private start(socket: WebSocket): void {
    this.socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      this.opened = true;
      this.events.began();
      const first = this.events.compose(firstPackets);
      if (first) socket.send(first);
      else this.end({ kind: "retired", reason: "not needed any more" });
    };
    socket.onmessage = (e: MessageEvent<unknown>) => this.received(e.data);
    socket.onclose = (e) => this.end(this.closed(e));
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
