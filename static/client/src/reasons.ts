import type { Attempt } from "./error.ts";
import type { LinkEnd, TransportName } from "./link.ts";

/** Answers that will not change by asking again. */
const final = [400, 401, 403, 404, 405, 415, 421];

/** Why the transports that were tried did not work, and what that means together. */
export class Reasons {
  private readonly last = new Map<TransportName, LinkEnd>();
  private now = new Set<TransportName>();

  /** @param missing the transports that were not even tried */
  constructor(private readonly missing: readonly Attempt[] = []) {}

  /** In this cycle the answer of a stream did not come, as if something held it back. */
  streamsHeld = false;
  /** It is known that the proxy answers, but not to pages of this origin. */
  originRefused = false;

  clear(): void {
    this.last.clear();
    this.newCycle();
  }

  /** All transports are about to be tried again. */
  newCycle(): void {
    this.now = new Set();
    this.streamsHeld = false;
  }

  add(name: TransportName, end: LinkEnd): void {
    this.last.set(name, end);
    this.now.add(name);
  }

  /** The transport has not answered so far; says nothing if it has failed before. */
  unanswered(name: TransportName): void {
    if (!this.last.has(name)) this.add(name, { kind: "cut", reason: "no answer" });
  }

  /** What failed in this cycle. */
  failedNow(): TransportName[] {
    return [...this.now];
  }

  attempts(): Attempt[] {
    return [...this.missing, ...[...this.last].map(([transport, end]) => ({ transport, reason: end.reason }))];
  }

  /** What the proxy itself said, if any transport of this cycle got that far. */
  refusal(): LinkEnd | undefined {
    const ends = [...this.now].map((name) => this.last.get(name)!);
    return ends.find((end) => end.close) ?? ends.find((end) => end.status === 421) ?? ends.find((end) => final.includes(end.status ?? 0));
  }

  /**
   * What an answer with status 429 said, if there was one: the proxy does that before it
   * knows of a session, so there is no CLOSE in it. Browsers show it to pages of its origin.
   */
  tooMany(): LinkEnd | undefined {
    return [...this.last.values()].find((end) => end.status === 429);
  }

  /** For the developer of the page: what is wrong and what to do. base is the proxy's address. */
  explain(base: string): string {
    const refusal = this.refusal();
    if (this.originRefused || refusal?.status === 403 || refusal?.close?.cause === 1) return originHint(base);
    if (refusal?.status === 421) {
      const host = new URL(base).host;
      return `the proxy at ${base} does not accept requests for the host name ${host}; start it with --host ${host}`;
    }
    if (this.last.size === 0) return "none of the transports that may be used can work here";
    if (refusal) return `what answers at ${base} does not serve this client (${refusal.reason}); is the proxy's address right?`;
    return `no answer from the proxy at ${base}; is it running, and is its address right?${mixedHint(base)}`;
  }
}

/** What to do when the proxy answers, but not to pages of this origin. */
function originHint(base: string): string {
  const origin = pageOrigin() ?? "of this page";
  return `the proxy at ${base} does not accept pages of the origin ${origin}; start it with --origin ${origin}`;
}

function mixedHint(base: string): string {
  const secure = pageOrigin()?.startsWith("https:") ?? false;
  return secure && base.startsWith("http:") ? " A page loaded over https: can only use a proxy at an https: address." : "";
}

function pageOrigin(): string | undefined {
  const { location } = globalThis as { location?: Location };
  return location?.origin;
}
