import { normalizeBase } from "./endpoint.ts";

let scriptDirectory: string | undefined;

/** Notes where this script was loaded from; url may be undefined. */
export function loadedFrom(url: string | undefined): void {
  if (url && /^https?:/.test(url)) scriptDirectory = new URL(".", url).href;
}

/**
 * The proxy's address: what the page said, else the directory of the script.
 * Throws TypeError if there is none or it is no http address.
 */
export function proxyBase(proxy: string | URL | undefined): string {
  const address = proxy ?? scriptDirectory;
  if (address === undefined) {
    throw new TypeError('where is the proxy? Set TCPSocket.proxy or the option "proxy", or load the script from the proxy');
  }
  const { document, location } = globalThis as { document?: Document; location?: Location };
  return normalizeBase(address, document?.baseURI ?? location?.href);
}
