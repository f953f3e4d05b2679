import { WireError } from "./cause.ts";

/** A window never exceeds this many bytes. */
const maxWindow = 2 ** 31 - 1;

/** What we may send before the proxy has one byte from us accepted by the backend. */
export const firstSendWindow = 65536;

/** How many bytes of DATA may still be sent on a socket. */
export class SendWindow {
  left = firstSendWindow;

  add(n: number): void {
    if (this.left + n > maxWindow) throw new WireError("window above 2^31-1");
    this.left += n;
  }
}

/**
 * How many bytes of DATA the proxy may still send on a socket, and when it is
 * worth telling it about more. It doubles, up to largest, each time the page has
 * taken all of it and left next to nothing lying.
 */
export class ReceiveWindow {
  private left: number;
  private owed = 0; // taken by the page since the proxy was told
  private taken = 0; // since it was last doubled

  constructor(
    private size: number,
    private readonly largest = size,
  ) {
    this.left = size;
  }

  /** Notes DATA that arrived. Throws if the proxy sent more than it may. */
  arrived(n: number): void {
    if (n > this.left) throw new WireError("more data than the window allows");
    this.left -= n;
  }

  /** Notes bytes that the page has taken. */
  consumed(n: number): void {
    this.owed += n;
    this.taken += n;
  }

  /** Whether at least a quarter of the window can be given back. */
  get due(): boolean {
    return this.owed * 4 >= this.size;
  }

  /** The credit to send now. */
  take(): number {
    const lying = this.size - this.left - this.owed;
    let n = this.owed;
    if (this.taken >= this.size && lying * 4 <= this.size) {
      const more = Math.min(this.size, this.largest - this.size);
      this.size += more;
      this.taken = 0;
      n += more;
    }
    this.owed = 0;
    this.left += n;
    return n;
  }
}
