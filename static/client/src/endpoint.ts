/** Where a proxy is, and how its addresses are made for one session. */
export class Endpoint {
  /** The public part of the session id; empty before the session has one. */
  node = "";
  /** Seconds a downlink may stay silent. */
  hold = 25;
  private asked = 0;

  /** @param base the proxy's address, ending in "/" */
  constructor(readonly base: string) {}

  get origin(): string {
    return new URL(this.base).origin;
  }

  /** The address of a resource of the session layer, such as "send". */
  session(name: string, variables: { [name: string]: string } = {}): string {
    const query = Object.entries({ ...variables, ...(this.node ? { node: this.node } : {}) });
    const text = query.map(([key, value]) => `${key}=${encodeURIComponent(value)}`).join("&");
    return `${this.base}session/${name}${text ? "?" + text : ""}`;
  }

  /** The same for a downlink, which says how long it may be silent: most seconds at most. */
  downlink(name: string, variables: { [name: string]: string } = {}, most = Infinity): string {
    return this.session(name, { ...variables, hold: String(Math.min(this.hold, most)) });
  }

  /**
   * The same for a downlink that is asked for by GET: no two addresses are the same,
   * since a box that keeps answers, whatever they say of it, would give an old one.
   */
  fresh(name: string, d: string, most = Infinity): string {
    return this.downlink(name, { d, n: String(++this.asked) }, most);
  }
}

/**
 * The proxy's address as users give it, relative to where: absolute, without
 * query, ending in "/". Throws TypeError if it is no http or ws address.
 */
export function normalizeBase(proxy: string | URL, where: string | undefined): string {
  const url = where === undefined ? new URL(proxy) : new URL(proxy, where);
  url.protocol = url.protocol.replace(/^ws/, "http");
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw new TypeError(`the proxy's address must begin with http: or https:, not ${url.protocol}`);
  }
  return url.origin + url.pathname.replace(/\/*$/, "/");
}
