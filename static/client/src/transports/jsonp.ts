import type { Transport } from "../link.ts";
import { scriptRecords } from "./exchange.ts";
import { Polling } from "./polling.ts";

/** Most packet bytes in an address: in base64 and with all else it stays under 8 kB. */
export const scriptPackets = 4096;

/** Polling with script tags: what is left when nothing else is. */
export const jsonp: Transport = {
  name: "jsonp",
  kind: "poll",
  uplink: "script",
  missing: (platform) => (platform.document ? "" : "no document here"),
  open: (endpoint, platform, events) =>
    new Polling(platform.clock, events, scriptPackets, (records) =>
      scriptRecords(platform, (v) => endpoint.downlink("jsonp", v), records),
    ),
};
