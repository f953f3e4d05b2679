import type { Transport } from "../link.ts";
import { eventSource } from "./eventsource.ts";
import { fetchStreaming } from "./fetchstreaming.ts";
import { iframe } from "./iframe.ts";
import { jsonp } from "./jsonp.ts";
import { longPolling } from "./longpolling.ts";
import { websocket } from "./websocket.ts";
import { xhrStreaming } from "./xhrstreaming.ts";

/** All transports, the best first. */
export const transports: readonly Transport[] = [
  websocket,
  fetchStreaming,
  xhrStreaming,
  eventSource,
  longPolling,
  iframe,
  jsonp,
];
