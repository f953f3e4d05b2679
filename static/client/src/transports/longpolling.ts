import type { Transport } from "../link.ts";
import { postRecords } from "./exchange.ts";
import { Polling } from "./polling.ts";
import { canPost } from "./post.ts";

/** Most packet bytes in a request. */
const firstPackets = 256 * 1024;

/** Each POST is answered when there is something to say, and followed by the next. */
export const longPolling: Transport = {
  name: "long-polling",
  kind: "poll",
  uplink: "post",
  missing: (platform) => (canPost(platform) ? "" : "neither fetch nor XMLHttpRequest here"),
  open: (endpoint, platform, events) =>
    new Polling(platform.clock, events, firstPackets, (records) =>
      postRecords(platform, endpoint.downlink("long-polling"), records),
    ),
};
