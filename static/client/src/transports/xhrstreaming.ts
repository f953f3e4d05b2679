import { decodeBatch } from "../batch.ts";
import { Timer } from "../clock.ts";
import type { Endpoint } from "../endpoint.ts";
import { GrowingLines } from "../lines.ts";
import type { Link, LinkEnd, LinkEvents, Transport } from "../link.ts";
import type { Platform } from "../platform.ts";
import { networkError, refused, unparsable } from "./refusal.ts";

/** Most packet bytes in a request. */
const firstPackets = 256 * 1024;

/** An answer that ends after at least this many characters has simply become full. */
const fullAnswer = 512 * 1024;

/** The text of the answer to a POST grows by one batch a line; after 1 MiB the next one follows. */
export const xhrStreaming: Transport = {
  name: "xhr-streaming",
  kind: "stream",
  uplink: "post",
  missing: (platform) => (platform.XMLHttpRequest ? "" : "no XMLHttpRequest here"),
  open: (endpoint, platform, events) => new XHRLink(endpoint, platform, events),
};

/**
 * Browsers tell of new text at most every 50 ms, though it can be read before. So
 * for a little longer than that after each event the text is looked at by a timer.
 */
const lookFor = 60;
const lookEvery = 1;

class XHRLink implements Link {
  private readonly look: Timer;
  private lookUntil = 0;
  private request: XMLHttpRequest | null = null;
  private lines = new GrowingLines();
  private begun = false;
  private wanted = true;

  constructor(
    private readonly endpoint: Endpoint,
    private readonly platform: Platform,
    private readonly events: LinkEvents,
  ) {
    this.look = new Timer(platform.clock, () => this.lookAgain());
    platform.clock.after(0, () => this.start());
  }

  close(): void {
    this.wanted = false;
    this.look.stop();
    const request = this.request;
    this.request = null;
    if (!request) return;
    request.onreadystatechange = request.onprogress = null;
    request.abort();
  }

  private start(): void {
    if (!this.wanted) return;
    const body = this.events.compose(firstPackets);
    if (!body) {
      this.end({ kind: "retired", reason: "not needed any more" });
      return;
    }
    this.lines = new GrowingLines();
    this.begun = false;
    const request = (this.request = new this.platform.XMLHttpRequest!());
    request.open("POST", this.endpoint.downlink("xhr-streaming"));
    request.setRequestHeader("Content-Type", "text/plain");
    request.onprogress = () => this.told(request);
    request.onreadystatechange = () => {
      if (request.readyState === 4) this.done(request);
      else if (request.readyState === 3) this.told(request);
    };
    request.send(body);
  }

  private told(request: XMLHttpRequest): void {
    this.lookUntil = this.platform.clock.now() + lookFor;
    if (!this.look.running) this.look.set(lookEvery);
    this.progress(request);
  }

  private lookAgain(): void {
    const request = this.request;
    if (!request || request.readyState !== 3) return;
    if (this.platform.clock.now() < this.lookUntil) this.look.set(lookEvery);
    this.progress(request);
  }

  private progress(request: XMLHttpRequest): void {
    if (request !== this.request || request.status !== 200) return;
    if (!this.begun) {
      this.begun = true;
      this.events.began();
    }
    for (const line of this.lines.take(request.responseText)) {
      if (request !== this.request) return;
      let records;
      try {
        records = decodeBatch(line);
      } catch (e) {
        this.end(unparsable(e));
        return;
      }
      this.events.records(records);
    }
  }

  private done(request: XMLHttpRequest): void {
    if (request !== this.request) return;
    if (request.status !== 200) {
      this.end(refused(request.status, request.status === 0 ? "" : request.responseText));
      return;
    }
    this.progress(request);
    if (request !== this.request) return;
    if (request.responseText.length >= fullAnswer) this.start();
    else this.end(networkError("the answer ended"));
  }

  private end(end: LinkEnd): void {
    this.close();
    this.events.ended(end);
  }
}
