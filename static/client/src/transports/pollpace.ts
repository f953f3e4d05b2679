import type { Clock } from "../clock.ts";
import type { SessionRecord } from "../packet.ts";

/** An answer without news that comes faster than this, in ms, did not wait for news. */
const hasty = 200;

/** How many hasty answers in a row are put up with. */
const patience = 3;

/**
 * When the next poll goes out: at once. Only when something on the way answers
 * again and again without news does it slow down, so that nothing can make the
 * page ask in a tight loop.
 */
export class PollPace {
  private askedAt = 0;
  private inVain = 0;

  constructor(private readonly clock: Clock) {}

  asked(): void {
    this.askedAt = this.clock.now();
  }

  again(answer: readonly SessionRecord[], poll: () => void): void {
    const news = answer.some((r) => r.type === "DATA" || r.type === "END" || r.type === "PONG" || r.type === "WELCOME");
    this.inVain = news || this.clock.now() - this.askedAt >= hasty ? 0 : this.inVain + 1;
    if (this.inVain < patience) poll();
    else this.clock.after(1000, poll);
  }
}
