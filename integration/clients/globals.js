// Node's globals; injected into every bundle.
import { Buffer } from "buffer";
import process from "process/browser";

globalThis.setImmediate ??= (f, ...args) => setTimeout(f, 0, ...args);
globalThis.clearImmediate ??= clearTimeout;

export { Buffer, process };
