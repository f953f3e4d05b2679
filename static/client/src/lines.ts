/**
 * Takes the lines out of a text that only grows, as the responseText of a running
 * XMLHttpRequest does. What follows the last newline is waited for.
 */
export class GrowingLines {
  private at = 0;

  /** The complete lines, without their newline, since the last call. */
  take(text: string): string[] {
    const lines: string[] = [];
    for (;;) {
      const end = text.indexOf("\n", this.at);
      if (end < 0) return lines;
      lines.push(text.slice(this.at, end));
      this.at = end + 1;
    }
  }
}
