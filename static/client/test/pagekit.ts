import { after, before } from "node:test";
import { realClock } from "../src/clock.ts";
import type { TransportName } from "../src/link.ts";
import { TCPSocket, type TCPSocketError } from "../src/module.ts";
import { Network, noFaults } from "./network.ts";
import { type EchoMux, Proxy } from "./proxy.ts";

// What tests share that use the class as pages do, with the real clock: nothing
// depends on how long anything takes.

export const reported: unknown[] = [];
export let network: Network;
let proxies = 0;
let keepAlive: ReturnType<typeof setInterval>;
export const realSetTimeout = setTimeout;

before(() => {
  keepAlive = setInterval(() => {}, 1000);
  // Idle sessions must not keep the test running.
  globalThis.setTimeout = ((f: () => void, ms?: number) => realSetTimeout(f, ms).unref()) as unknown as typeof setTimeout;
  (globalThis as { reportError?: unknown }).reportError = (e: unknown) => reported.push(e);
});

after(() => clearInterval(keepAlive));

/** A new proxy at a new address, and therefore a new session. */
export function proxy(prepare: (mux: EchoMux) => void = () => {}): { opened: () => EchoMux } {
  const p = new Proxy(realClock);
  network = new Network(realClock, p, { ...noFaults(), delay: () => 0 });
  globalThis.fetch = network.fetch as typeof fetch;
  TCPSocket.proxy = `http://proxy${proxies++}.test/`;
  p.prepare = prepare;
  return { opened: () => p.muxes.at(-1)! };
}

export const stream = { transports: ["fetch-streaming"] as TransportName[] };

export function closeOf(s: TCPSocket): Promise<TCPSocketError> {
  return new Promise((resolve) => (s.onclose = resolve));
}

export function text(data: Uint8Array): string {
  return new TextDecoder().decode(data);
}

/** Until something is so. */
export async function when(so: () => boolean): Promise<void> {
  while (!so()) await new Promise((resolve) => realSetTimeout(resolve, 1));
}

export async function readAll(readable: ReadableStream<Uint8Array>): Promise<string> {
  let all = "";
  const reader = readable.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return all;
    all += text(value);
  }
}
