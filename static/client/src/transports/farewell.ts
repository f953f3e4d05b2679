import type { Bytes } from "../bytes.ts";
import type { Platform } from "../platform.ts";
import { postInit } from "./post.ts";

/** Posts a last request whose answer does not matter. */
export function farewell(platform: Platform, url: string, body: Bytes): void {
  post(platform, url, body, false);
}

/** The same when the page is about to be gone: the request outlives it. False when the browser does not take it. */
export function beacon(platform: Platform, url: string, body: Bytes): boolean {
  const { navigator } = globalThis as { navigator?: Partial<Navigator> };
  if (navigator?.sendBeacon) return navigator.sendBeacon(url, new Blob([body], { type: "text/plain" }));
  post(platform, url, body, true);
  return true;
}

function post(platform: Platform, url: string, body: Bytes, keepalive: boolean): void {
  platform.fetch?.(url, { ...postInit(url, body), keepalive }).catch(() => {
    // The session ends at the latest when it can not be resumed any more.
  });
}
