import { byteSize } from "../bytesize.ts";
import { byId, make, say } from "../dom.ts";
import type { TCPSocket } from "../tcpsocket.ts";
import { Lanes } from "./lanes.ts";
import { Ledger, type LinkEvent } from "./ledger.ts";

/** Most lines in the list of events. */
const most = 200;

/** The live view of the link: picture, numbers, and each event as a line. */
export class Live {
  ledger = new Ledger();
  private readonly lanes = new Lanes();
  private readonly list = byId("events", HTMLOListElement);
  private readonly details = this.list.closest("details");
  private recent: string[] = []; // the newest first
  private socket: TCPSocket | null = null;
  private start = 0;
  private frame = 0;

  constructor() {
    this.details?.addEventListener("toggle", () => this.changed());
  }

  /** Starts a new book for a new socket. */
  follow(socket: TCPSocket): void {
    this.socket = socket;
    this.ledger = new Ledger();
    this.start = performance.now();
    this.recent = [];
    this.changed();
  }

  take(event: LinkEvent): void {
    this.ledger.take(event);
    this.lanes.take(event);
    const at = ((performance.now() - this.start) / 1000).toFixed(3).padStart(8);
    const what = [event.kind, event.id === undefined ? "" : `#${event.id}`, event.bytes === undefined ? "" : byteSize(event.bytes)];
    this.recent.unshift(`${at} s  ${what.filter(Boolean).join("  ")}${event.transport ? `  (${event.transport})` : ""}`);
    if (this.recent.length > most) {
      this.recent.length = most;
    }
    this.changed();
  }

  /** Shows the numbers in the next frame, however much happens before it. */
  changed(): void {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.show();
    });
  }

  private show(): void {
    const { ledger, socket } = this;
    const facts: Record<string, string> = {
      "fact-transport": socket?.transport ?? "none",
      "fact-reconnects": String(ledger.reconnects),
      "fact-up": String(ledger.packetsUp),
      "fact-down": String(ledger.packetsDown),
      "fact-again": String(ledger.again),
      "fact-acks": `${ledger.acksIn} / ${ledger.acksOut}`,
      "fact-flight": byteSize(ledger.inFlight),
      "fact-buffered": byteSize(socket?.bufferedAmount ?? 0),
    };
    for (const [id, text] of Object.entries(facts)) {
      say(byId(id, HTMLElement), text);
    }
    if (this.details?.open) {
      this.list.replaceChildren(...this.recent.map((line) => make("li", {}, line)));
    }
  }
}
