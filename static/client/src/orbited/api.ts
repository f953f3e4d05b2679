import { Errors, Statuses } from "./codes.ts";
import { getLogger, loggers } from "./loggers.ts";
import { proxyOf, settingsOf } from "./settings.ts";
import { base64, utf8 } from "./strings.ts";
import { proxyAt, TCPSocket } from "./tcpsocket.ts";

/** The API of Orbited 0.7, for a script that was loaded from an address into a page. */
export function orbited(script: string | undefined, page: Location | undefined) {
  const { settings, prefix } = settingsOf(script, page);
  proxyAt(() => proxyOf(settings, prefix));
  return {
    TCPSocket,
    settings,
    Errors,
    Statuses,
    getLogger,
    loggers,
    system: getLogger("system"),
    utf8,
    base64,
    singleton: {},
    // Pages may set these; how bytes travel is not found out in this way any more.
    util: { browser: null, loggingSystem: null, chooseTransport: () => null },
    CometTransports: { XHRStream: {}, LongPoll: {}, Poll: {}, HTMLFile: {}, SSE: {} },
  };
}
