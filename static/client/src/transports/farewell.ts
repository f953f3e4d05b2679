import type { Bytes } from "../bytes.ts";
import type { Platform } from "../platform.ts";
import { postInit } from "./post.ts";

/**
 * Posts a last request whose answer does not matter. leaving: the page is about to
 * be gone, and the request must outlive it.
 */
export function farewell(platform: Platform, url: string, body: Bytes, leaving: boolean): void {
  const { navigator } = globalThis as { navigator?: Partial<Navigator> };
  if (leaving && navigator?.sendBeacon) {
    navigator.sendBeacon(url, new Blob([body], { type: "text/plain" }));
    return;
  }
  platform.fetch?.(url, { ...postInit(url, body), keepalive: leaving }).catch(() => {
    // The session ends at the latest when it can not be resumed any more.
  });
}
