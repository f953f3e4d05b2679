import { encodeBase64url } from "../base64.ts";
import { decodeBatch } from "../batch.ts";
import type { Endpoint } from "../endpoint.ts";
import type { Link, LinkEnd, LinkEvents, Transport } from "../link.ts";
import type { Platform } from "../platform.ts";
import { canPost } from "./post.ts";
import { networkError, unparsable } from "./refusal.ts";

/** Server-sent events, one batch each. Packets to the proxy are posted. */
export const eventSource: Transport = {
  name: "eventsource",
  kind: "stream",
  uplink: "post",
  missing: (platform) => (platform.EventSource && canPost(platform) ? "" : "no EventSource here"),
  open: (endpoint, platform, events) => new EventSourceLink(endpoint, platform, events),
};

class EventSourceLink implements Link {
  private source: EventSource | null = null;
  private wanted = true;

  constructor(
    private readonly endpoint: Endpoint,
    private readonly platform: Platform,
    private readonly events: LinkEvents,
  ) {
    platform.clock.after(0, () => this.start());
  }

  close(): void {
    this.wanted = false;
    this.source?.close();
    this.source = null;
  }

  private start(): void {
    if (!this.wanted) return;
    const opening = this.events.compose(0);
    if (!opening) {
      this.end({ kind: "retired", reason: "not needed any more" });
      return;
    }
    let opened = false;
    const url = this.endpoint.fresh("eventsource", encodeBase64url(opening));
    const source = (this.source = new this.platform.EventSource!(url, { withCredentials: false }));
    source.onopen = () => {
      opened = true;
      this.events.began();
    };
    source.onmessage = (e: MessageEvent<unknown>) => this.received(e.data);
    // The browser would connect again by itself with what it knew at the start;
    // the session does it with a fresh acknowledgement.
    source.onerror = () => this.end(networkError(opened ? "the answer ended" : "refused, or a network error"));
  }

  private received(data: unknown): void {
    let records;
    try {
      records = decodeBatch(String(data));
    } catch (e) {
      this.end(unparsable(e));
      return;
    }
    this.events.records(records);
  }

  private end(end: LinkEnd): void {
    this.close();
    this.events.ended(end);
  }
}
