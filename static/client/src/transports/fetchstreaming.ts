import { RecordParser } from "../encoding.ts";
import type { Endpoint } from "../endpoint.ts";
import type { Link, LinkEnd, LinkEvents, Transport } from "../link.ts";
import type { Platform } from "../platform.ts";
import { postInit } from "./post.ts";
import { networkError, refused, unparsable } from "./refusal.ts";

/** Most packet bytes in the request. */
const firstPackets = 256 * 1024;

/** The answer to one POST carries binary records and does not end. */
export const fetchStreaming: Transport = {
  name: "fetch-streaming",
  kind: "stream",
  uplink: "post",
  missing: (platform) => (platform.streamingFetch ? "" : "answers can not be read while they arrive here"),
  open: (endpoint, platform, events) => new FetchLink(endpoint, platform, events),
};

class FetchLink implements Link {
  private readonly abort = new AbortController();
  private wanted = true;

  constructor(
    endpoint: Endpoint,
    platform: Platform,
    private readonly events: LinkEvents,
  ) {
    platform.clock.after(0, () => {
      if (this.wanted) void this.run(endpoint, platform.fetch!);
    });
  }

  close(): void {
    this.wanted = false;
    this.abort.abort();
  }

  private async run(endpoint: Endpoint, fetchIt: typeof fetch): Promise<void> {
    const body = this.events.compose(firstPackets);
    if (!body) {
      this.end({ kind: "retired", reason: "not needed any more" });
      return;
    }
    let end: LinkEnd;
    try {
      const url = endpoint.downlink("fetch-streaming");
      const response = await fetchIt(url, { ...postInit(url, body), signal: this.abort.signal });
      end = await this.read(response);
    } catch (e) {
      end = networkError(e instanceof Error && e.message ? `network error (${e.message})` : undefined);
    }
    this.end(end);
  }

  private async read(response: Response): Promise<LinkEnd> {
    if (response.status !== 200 || !response.body) {
      return refused(response.status, new Uint8Array(await response.arrayBuffer()));
    }
    if (!this.wanted) return networkError();
    this.events.began();
    const parser = new RecordParser();
    const reader = response.body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (!this.wanted) return networkError();
      if (done) return networkError("the answer ended");
      let records;
      try {
        records = parser.feed(value as Uint8Array<ArrayBuffer>);
      } catch (e) {
        return unparsable(e);
      }
      this.events.records(records);
    }
  }

  private end(end: LinkEnd): void {
    if (!this.wanted) return;
    this.close();
    this.events.ended(end);
  }
}
