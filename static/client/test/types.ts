// Compiled, never run: what pages write must compile against the published types,
// and the class must be what they say.
import Default, { type Attempt, type LinkState, TCPSocket, TCPSocketError, type TransportName } from "../TCPSocket.js";
import * as real from "../src/module.ts";

export const asDeclared: typeof TCPSocket = real.TCPSocket;
export const errorAsDeclared: typeof TCPSocketError = real.TCPSocketError;
export const sameDefault: typeof Default = real.default;
export const declaredAsReal: (s: TCPSocket) => Pick<real.TCPSocket, keyof TCPSocket & keyof real.TCPSocket> = (s) => s as unknown as real.TCPSocket;

export async function callbacks(): Promise<void> {
  TCPSocket.proxy = "/tcp";
  const s = new TCPSocket("irc.example.org", 6667, { transports: ["websocket", "long-polling"], noDelay: true });
  s.onopen = () => s.send("NICK me\r\n");
  s.onread = (line: string) => console.log(line.length);
  s.onclose = (cause) => {
    const code: string = cause.code;
    const attempts: readonly Attempt[] | undefined = cause.attempts;
    console.log(code, attempts, cause.retryAfter?.toFixed(), cause instanceof TCPSocket.Error);
  };
  const binary = new TCPSocket({ binary: true });
  binary.onread = (data: Uint8Array) => console.log(data.byteLength);
  binary.open("::1", 7, true);
  await s.close();
}

export async function streams(signal: AbortSignal): Promise<number> {
  const s = new TCPSocket("h", 1, { proxy: new URL("https://proxy.example/"), dnsQueryType: "ipv4" });
  const { readable, writable, remoteAddress, remotePort } = await s.opened;
  const writer = writable.getWriter();
  await writer.write(new Uint8Array([1]));
  await writer.write(new ArrayBuffer(1));
  await readable.pipeThrough(new TextDecoderStream()).pipeTo(new WritableStream<string>(), { signal });
  const byob = s.readable.getReader({ mode: "byob" });
  await byob.read(new Uint8Array(10));
  return remoteAddress.length + remotePort;
}

export function events(s: TCPSocket): void {
  s.addEventListener("read", (e) => console.log(e.data));
  s.addEventListener("close", (e) => console.log(e.cause.code));
  s.addEventListener("link", (e) => console.log(e.detail.kind, e.detail.bytes));
  s.addEventListener("statechange", () => {
    const state: LinkState = s.state;
    const transport: TransportName | null = s.transport;
    console.log(state, transport, s.readyState === TCPSocket.OPEN);
  });
}

export function mistakes(): void {
  // @ts-expect-error a socket has no number for a host
  new TCPSocket(7, 7);
  // @ts-expect-error unknown transport
  new TCPSocket("h", 7, { transports: ["pigeon"] });
  // @ts-expect-error not bytes
  new TCPSocket("h", 7).send(7);
  // @ts-expect-error read only
  new TCPSocket().readyState = 3;
}
