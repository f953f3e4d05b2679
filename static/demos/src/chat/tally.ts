/**
 * Counts, by the numbers the authors gave, what got lost or came twice. The first
 * message of an author that is seen sets where counting starts.
 */
export class Tally {
  received = 0;
  lost = 0;
  doubled = 0;
  private readonly last = new Map<string, number>();

  /** Takes a message that came live. */
  live(author: string, n: number): void {
    const last = this.last.get(author);
    if (last !== undefined && n <= last) {
      this.doubled++;
      return;
    }
    if (last !== undefined) {
      this.lost += n - last - 1;
    }
    this.last.set(author, n);
    this.received++;
  }

  /**
   * Takes a message the broker kept from before. These come in no order, and only
   * the last few of each author are there, so none of them can be missed.
   */
  kept(author: string, n: number): void {
    this.last.set(author, Math.max(n, this.last.get(author) ?? 0));
  }

  /** Starts anew with all authors, as after a time without listening. */
  forget(): void {
    this.last.clear();
  }
}
