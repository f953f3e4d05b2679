import { encodeBase64url } from "../base64.ts";
import { readBatch } from "../batch.ts";
import type { Endpoint } from "../endpoint.ts";
import type { Link, LinkEnd, LinkEvents, Transport } from "../link.ts";
import type { Platform } from "../platform.ts";
import { canPost } from "./post.ts";
import { networkError, unparsable } from "./refusal.ts";

/** A frame that brought less than this when it ended was cut, not full. */
const fullAnswer = 256 * 1024;

/** How long messages may come after the frame's load event, in ms: they are tasks of their own. */
const afterLoad = 1000;

/** A hidden frame whose page never ends and posts each batch to us. Packets to the proxy are posted. */
export const iframe: Transport = {
  name: "iframe",
  kind: "stream",
  uplink: "post",
  mostHold: 10, // a browser does not tell that a frame's answer was cut
  missing: (platform) => (platform.document?.documentElement && canPost(platform) ? "" : "no document here"),
  open: (endpoint, platform, events) => new FrameLink(endpoint, platform, events),
};

class FrameLink implements Link {
  private frame: HTMLIFrameElement | null = null;
  private answered = false;
  private bytes = 0;
  private wanted = true;

  constructor(
    private readonly endpoint: Endpoint,
    private readonly platform: Platform,
    private readonly events: LinkEvents,
  ) {
    addEventListener("message", this.message);
    platform.clock.after(0, () => this.start());
  }

  close(): void {
    this.wanted = false;
    removeEventListener("message", this.message);
    this.remove();
  }

  private start(): void {
    if (!this.wanted) return;
    const opening = this.events.compose(0);
    if (!opening) {
      this.end({ kind: "retired", reason: "not needed any more" });
      return;
    }
    const document = this.platform.document!;
    const frame = (this.frame = document.createElement("iframe"));
    this.answered = false;
    this.bytes = 0;
    frame.hidden = true;
    frame.title = "";
    frame.setAttribute("aria-hidden", "true");
    frame.referrerPolicy = "origin"; // by which the proxy knows the page
    frame.src = this.endpoint.fresh("iframe", encodeBase64url(opening), iframe.mostHold);
    // Our page posts something before it is loaded; any other page is an error page.
    frame.onload = () => {
      this.platform.clock.after(afterLoad, () => {
        if (frame === this.frame && !this.answered) this.end(networkError("refused, not served, or a network error"));
      });
    };
    (document.body ?? document.documentElement).appendChild(frame);
  }

  private readonly message = (e: MessageEvent<unknown>): void => {
    if (!this.frame || e.source !== this.frame.contentWindow || e.origin !== this.endpoint.origin) return;
    const data = e.data as { encke?: unknown } | null;
    if (typeof data !== "object" || data === null || data.encke === undefined) return;
    if (data.encke === null) {
      this.ended();
      return;
    }
    let records;
    try {
      records = readBatch(data.encke);
    } catch (e) {
      this.end(unparsable(e));
      return;
    }
    if (!this.answered) this.events.began();
    this.answered = true;
    for (const r of records) if (r.type === "DATA") this.bytes += r.data.length;
    this.events.records(records);
  };

  private ended(): void {
    this.remove();
    if (this.bytes >= fullAnswer) this.start();
    else this.end(networkError("the answer ended"));
  }

  private remove(): void {
    const frame = this.frame;
    this.frame = null;
    if (!frame) return;
    frame.onload = null;
    frame.remove();
  }

  private end(end: LinkEnd): void {
    this.close();
    this.events.ended(end);
  }
}
