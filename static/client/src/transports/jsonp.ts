import { encodeBase64url } from "../base64.ts";
import { readBatch } from "../batch.ts";
import type { Endpoint } from "../endpoint.ts";
import type { Link, LinkEnd, LinkEvents, Transport } from "../link.ts";
import type { Platform } from "../platform.ts";
import { PollPace } from "./pollpace.ts";
import { networkError, unparsable } from "./refusal.ts";
import { loadScript } from "./script.ts";

/** Most packet bytes in an address: in base64 and with all else it stays under 8 kB. */
export const scriptPackets = 4096;

/** Polling with script tags: what is left when nothing else is. */
export const jsonp: Transport = {
  name: "jsonp",
  kind: "poll",
  roundTrips: 1,
  uplink: "script",
  missing: (platform) => (platform.document ? "" : "no document here"),
  open: (endpoint, platform, events) => new ScriptLink(endpoint, platform, events),
};

class ScriptLink implements Link {
  private readonly pace: PollPace;
  private forget: (() => void) | null = null;
  private wanted = true;

  constructor(
    private readonly endpoint: Endpoint,
    private readonly platform: Platform,
    private readonly events: LinkEvents,
  ) {
    this.pace = new PollPace(platform.clock);
    platform.clock.after(0, () => this.poll());
  }

  close(): void {
    this.wanted = false;
    this.forget?.();
    this.forget = null;
  }

  private poll(): void {
    if (!this.wanted) return;
    const records = this.events.compose(scriptPackets);
    if (!records) {
      this.end({ kind: "retired", reason: "not needed any more" });
      return;
    }
    const d = encodeBase64url(records);
    this.pace.asked();
    try {
      this.forget = loadScript(
        this.platform,
        (v) => this.endpoint.downlink("jsonp", { d, ...v }),
        (batch, failure) => this.answered(batch, failure),
      );
    } catch (e) {
      this.end(networkError(`the browser does not allow it (${e instanceof Error ? e.message : String(e)})`));
    }
  }

  private answered(batch: unknown, failure: string): void {
    if (failure) {
      this.end(networkError(failure));
      return;
    }
    let records;
    try {
      records = readBatch(batch);
    } catch (e) {
      this.end(unparsable(e));
      return;
    }
    this.events.began();
    this.events.records(records);
    if (this.wanted) this.pace.again(records, () => this.poll());
  }

  private end(end: LinkEnd): void {
    this.close();
    this.events.ended(end);
  }
}
