import type { Bytes } from "../src/bytes.ts";
import type { Cause } from "../src/cause.ts";
import type { Transport, TransportName } from "../src/link.ts";
import type { Socket } from "../src/socket.ts";
import type { LinkDetail, LinkState } from "../src/state.ts";
import { transports } from "../src/transports/index.ts";
import { type Rider, Trunk } from "../src/trunk.ts";
import { VirtualClock } from "./clock.ts";
import { Network, noFaults } from "./network.ts";
import { Proxy } from "./proxy.ts";

export function named(...names: TransportName[]): Transport[] {
  return names.map((name) => transports.find((t) => t.name === name)!);
}

/** A session over a network of faults, with sockets that remember what happened to them. */
export class Bench implements Rider {
  readonly trunk: Trunk;
  readonly stored = new Map<string, string>();
  readonly states: LinkState[] = [];
  readonly carriers: (TransportName | null)[] = [];
  readonly details: LinkDetail[] = [];
  gone = 0;

  constructor(
    readonly network: Network,
    list: readonly Transport[] = named("websocket", "fetch-streaming", "long-polling"),
    stored?: Map<string, string>,
  ) {
    if (stored) this.stored = stored;
    const storage = { get: (k: string) => this.stored.get(k) ?? null, set: (k: string, v: string) => void this.stored.set(k, v) };
    const settings = { base: "http://proxy.test/", transports: list, platform: network.platform, storage };
    this.trunk = new Trunk(settings, () => this.gone++);
  }

  open(window = 1 << 20): Stream {
    return new Stream(this, window);
  }

  stateChanged(state: LinkState): void {
    this.states.push(state);
  }

  transportChanged(): void {
    this.carriers.push(this.trunk.transport);
  }

  detail(d: LinkDetail): void {
    this.details.push(d);
  }
}

/** A socket that takes everything at once. */
export class Stream {
  readonly socket: Socket;
  received: Bytes[] = [];
  opened = false;
  ended = false;
  why: Cause | null = null;
  /** Whether what arrives is used up at once. */
  consuming = true;
  /** Gets what arrives, as a page's callback would. */
  onread: (text: string) => void = () => {};

  constructor(bench: Bench, window: number) {
    this.socket = bench.trunk.open(
      { host: "127.0.0.1", port: 7, window, largestWindow: window, options: [] },
      {
        opened: () => void (this.opened = true),
        data: (bytes) => {
          this.received.push(bytes.slice());
          if (this.consuming) this.socket.consumed(bytes.length);
          this.onread(Buffer.from(bytes).toString("latin1"));
        },
        eof: () => void (this.ended = true),
        moved: () => {},
        over: (why) => void (this.why = why),
      },
      bench,
    );
  }

  get bytes(): Buffer {
    return Buffer.concat(this.received);
  }

  get text(): string {
    return this.bytes.toString("latin1");
  }

  write(text: string): void {
    this.socket.write(new Uint8Array(Buffer.from(text, "latin1")));
  }
}

/** A bench with a network and a proxy of its own. */
export function setup(list?: readonly Transport[], stored?: Map<string, string>): { clock: VirtualClock; network: Network; bench: Bench } {
  const clock = new VirtualClock();
  const network = new Network(clock, new Proxy(clock), noFaults());
  return { clock, network, bench: new Bench(network, list, stored) };
}
