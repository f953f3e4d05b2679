import { decodeRecords } from "../encoding.ts";
import type { Endpoint } from "../endpoint.ts";
import type { Link, LinkEnd, LinkEvents, Transport } from "../link.ts";
import type { Platform } from "../platform.ts";
import { canPost, post } from "./post.ts";
import { PollPace } from "./pollpace.ts";
import { refused, unparsable } from "./refusal.ts";

/** Most packet bytes in a request. */
const firstPackets = 256 * 1024;

/** Each POST is answered when there is something to say, and followed by the next. */
export const longPolling: Transport = {
  name: "long-polling",
  kind: "poll",
  roundTrips: 1,
  uplink: "post",
  missing: (platform) => (canPost(platform) ? "" : "neither fetch nor XMLHttpRequest here"),
  open: (endpoint, platform, events) => new PollLink(endpoint, platform, events),
};

class PollLink implements Link {
  private readonly pace: PollPace;
  private abort: (() => void) | null = null;
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
    this.abort?.();
    this.abort = null;
  }

  private poll(): void {
    if (!this.wanted) return;
    const body = this.events.compose(firstPackets);
    if (!body) {
      this.end({ kind: "retired", reason: "not needed any more" });
      return;
    }
    this.pace.asked();
    this.abort = post(this.platform, this.endpoint.downlink("long-polling"), body, ({ status, body: answer }) => {
      if (status !== 200) {
        this.end(refused(status, answer));
        return;
      }
      let records;
      try {
        records = decodeRecords(answer);
      } catch (e) {
        this.end(unparsable(e));
        return;
      }
      this.events.began();
      this.events.records(records);
      if (this.wanted) this.pace.again(records, () => this.poll());
    });
  }

  private end(end: LinkEnd): void {
    this.close();
    this.events.ended(end);
  }
}
