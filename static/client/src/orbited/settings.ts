/** Where the proxy is, and what else pages set: only the first three have an effect. */
export interface Settings {
  hostname: string;
  port: number | string;
  protocol: string;
  log: boolean;
  streaming: boolean;
  HEARTBEAT_TIMEOUT: number;
  POLL_INTERVAL: number;
  pageLoggerHeight: string | null;
  pageLoggerWidth: string | null;
  enableFFPrivileges: boolean;
}

/** What both sides of an address have in common: location and URL. */
type Address = Pick<URL, "hostname" | "port" | "protocol">;

const scriptForm = /^(.*)\/static\/Orbited\.js$/;

/**
 * The settings of a page, and the path below which the proxy is. They are those of the
 * script, when it comes from the proxy's /static/, else of the page.
 */
export function settingsOf(script: string | undefined, page: Address | undefined): { settings: Settings; prefix: string } {
  const url = script ? new URL(script) : undefined;
  const prefix = url && scriptForm.exec(url.pathname)?.[1];
  const proxy = prefix !== undefined ? url : page;
  const scheme = [page, url].find((a) => a && /^https?:$/.test(a.protocol))?.protocol ?? "http:";
  return {
    settings: {
      hostname: proxy?.hostname ?? "",
      port: Number(proxy?.port) || 80,
      protocol: scheme.slice(0, -1),
      log: false,
      streaming: true,
      HEARTBEAT_TIMEOUT: 6000,
      POLL_INTERVAL: 2000,
      pageLoggerHeight: "200px",
      pageLoggerWidth: null,
      enableFFPrivileges: false,
    },
    prefix: prefix ?? "",
  };
}

/** The address of the proxy. Port 80 is what pages have that know of none, also with https. */
export function proxyOf(settings: Settings, prefix: string): string {
  const port = Number(settings.port) === 80 || settings.port === "" ? "" : `:${settings.port}`;
  return `${settings.protocol.replace(/:.*/, "")}://${settings.hostname}${port}${prefix}/`;
}
