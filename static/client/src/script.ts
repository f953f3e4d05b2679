/** The classic script: sets the global TCPSocket, unless the browser has one of its own. */
import { loadedFrom } from "./base.ts";
import { TCPSocket } from "./tcpsocket.ts";

const g = globalThis as { document?: Document; location?: Location; TCPSocket?: unknown };

// In a worker there is no script element; then the worker's own address has to do.
const script = g.document?.currentScript as HTMLScriptElement | null | undefined;
loadedFrom(script?.src || g.location?.href);

if (!("TCPSocket" in globalThis)) g.TCPSocket = TCPSocket;
