import type { TCPSocket } from "../tcpsocket.ts";
import type { Log } from "./log.ts";
import type { Tally } from "./tally.ts";

/**
 * Cuts the link and tells, in the log, how long the session took to go on and
 * that everything is still there.
 */
export class Cuts {
  count = 0;
  private socket: TCPSocket | null = null;
  private since = 0; // performance.now() of the cut that is being mended, else 0
  private note: HTMLElement | null = null;

  constructor(private readonly log: Log, private readonly tally: () => Tally, private readonly changed: () => void) {}

  follow(socket: TCPSocket): void {
    this.socket = socket;
    for (const event of ["statechange", "transportchange"]) {
      // State and transport change one after the other; look when both have.
      socket.addEventListener(event, () => queueMicrotask(() => this.mended()));
    }
  }

  cut(): void {
    if (!this.socket) {
      return;
    }
    this.count++;
    this.since = performance.now();
    this.note = this.log.note("You cut the link. What you send now waits …", "cut");
    this.socket.cutLink();
    this.changed();
  }

  private mended(): void {
    this.changed();
    if (!this.since || !this.note || this.socket?.state !== "online" || !this.socket.transport) {
      return;
    }
    const took = Math.round(performance.now() - this.since);
    const { lost, doubled } = this.tally();
    this.log.amend(this.note, `You cut the link. The session went on over ${this.socket.transport} after ${took} ms: ${lost} lost, ${doubled} doubled.`, "mended");
    this.since = 0;
  }
}
