/** How long a downlink may be silent, in seconds, when nothing on the way objects. */
const usual = 25;
const least = 5;

/** A silence shorter than this, in ms, is no reason for anything to cut a link. */
const shortest = 3000;

/** How much later, in ms, than a link's longest silence its end may be noticed. */
const noticed = 10_000;

/**
 * How long a downlink may be silent. Boxes on the way cut silent links after a
 * time of their own; when that happens twice in a row the time is halved, and the
 * application sees nothing of it but a resume.
 */
export class Hold {
  seconds = usual;
  private cuts = 0;

  /** A link was cut after it had been silent for this time. */
  cut(silentMs: number): void {
    if (silentMs < shortest || silentMs > this.seconds * 1000 + noticed) return;
    if (++this.cuts < 2) return;
    this.cuts = 0;
    this.seconds = Math.max(least, Math.floor(this.seconds / 2));
  }

  /** A link lived on after it had been silent for this time. */
  kept(silentMs: number): void {
    if (silentMs >= this.seconds * 900) this.cuts = 0;
  }
}
