/** What the "link" event of a TCPSocket tells. */
export interface LinkEvent {
  kind: string;
  transport?: string | null;
  id?: number;
  bytes?: number;
}

/**
 * Keeps the books of a session from its link events: what was sent and not yet
 * acknowledged, what went twice over the wire, how often a link was replaced.
 */
export class Ledger {
  packetsUp = 0;
  packetsDown = 0;
  again = 0; // packets sent a second time, after a cut
  acksIn = 0;
  acksOut = 0;
  reconnects = 0;
  inFlight = 0; // bytes sent and not acknowledged

  private readonly unacknowledged = new Map<number, number>(); // packet id to bytes
  private highest = 0;

  take(event: LinkEvent): void {
    switch (event.kind) {
      case "packet-sent":
        this.sent(event.id ?? 0, event.bytes ?? 0);
        return;
      case "packet-received":
        this.packetsDown++;
        return;
      case "ack-sent":
        this.acksOut++;
        return;
      case "ack-received":
        this.acksIn++;
        this.acknowledged(event.id ?? 0);
        return;
      case "resume":
        this.reconnects++;
        return;
    }
  }

  private sent(id: number, bytes: number): void {
    if (id <= this.highest) {
      this.again++;
      return;
    }
    this.highest = id;
    this.packetsUp++;
    this.unacknowledged.set(id, bytes);
    this.inFlight += bytes;
  }

  private acknowledged(upTo: number): void {
    for (const [id, bytes] of this.unacknowledged) {
      if (id > upTo) {
        return; // a Map keeps the order of insertion, and ids only grow
      }
      this.unacknowledged.delete(id);
      this.inFlight -= bytes;
    }
  }
}
