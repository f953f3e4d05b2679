import type { Bytes } from "../bytes.ts";
import type { Clock } from "../clock.ts";
import type { Exchange, Link, LinkEnd, LinkEvents } from "../link.ts";
import type { SessionRecord } from "../packet.ts";
import { endOf } from "./exchange.ts";

/** An answer without news that comes faster than this, in ms, did not wait for news. */
const hasty = 200;

/** How many hasty answers in a row are put up with. */
const patience = 3;

/** The pause after more of them, in ms. */
const pause = 1000;

/** Promise callbacks of the page that a poll waits for: enough for a reader that writes an answer. */
const turns = 10;

/**
 * A row of requests, each answered when there is news. The next one goes out as
 * soon as the page has had its say about the answer, and takes along what it said.
 * Only when something on the way answers again and again without news do requests
 * slow down, so that nothing can make the page ask in a tight loop.
 */
export class Polling implements Link {
  private running: Exchange | null = null;
  private wanted = true;
  private askedAt = 0;
  private inVain = 0;

  constructor(
    private readonly clock: Clock,
    private readonly events: LinkEvents,
    private readonly packetBytes: number,
    private readonly ask: (records: Bytes) => Exchange,
  ) {
    clock.after(0, () => this.poll());
  }

  close(): void {
    this.wanted = false;
    this.running?.abort();
    this.running = null;
  }

  private poll(): void {
    if (!this.wanted) return;
    const records = this.events.compose(this.packetBytes);
    if (!records) {
      this.end({ kind: "retired", reason: "not needed any more" });
      return;
    }
    this.askedAt = this.clock.now();
    const exchange = (this.running = this.ask(records));
    exchange.answer.then(
      (answer) => {
        if (this.running === exchange) void this.answered(answer);
      },
      (failure: unknown) => {
        if (this.running === exchange) this.end(endOf(failure));
      },
    );
  }

  private async answered(records: SessionRecord[]): Promise<void> {
    const news = records.some((r) => r.type === "DATA" || r.type === "END" || r.type === "PONG" || r.type === "WELCOME");
    this.inVain = news || this.clock.now() - this.askedAt >= hasty ? 0 : this.inVain + 1;
    const prompt = this.inVain < patience;
    this.events.began(prompt);
    this.events.records(records);
    if (!prompt) {
      this.clock.after(pause, () => this.poll());
      return;
    }
    // No timer: browsers hold those of pages in the background back.
    for (let i = 0; i < turns; i++) await null;
    this.poll();
  }

  private end(end: LinkEnd): void {
    this.close();
    this.events.ended(end);
  }
}
