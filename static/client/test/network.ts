import type { Bytes } from "../src/bytes.ts";
import { decodeBase64url } from "../src/base64.ts";
import { decodeRecords, encodeRecords } from "../src/encoding.ts";
import type { SessionRecord } from "../src/packet.ts";
import type { Platform } from "../src/platform.ts";
import type { Clock } from "../src/clock.ts";
import type { Downlink, Proxy, ProxySession } from "./proxy.ts";

/** What is wrong with the way to the proxy. All times in ms. */
export interface Faults {
  /** One way delay of each message, piece or request. */
  delay(): number;
  /** Into pieces of how many bytes answers are cut. */
  piece(): number;
  /** Bytes of a request or message beyond which it is too slow for the time it has. */
  longest: number;
  /** Whether this message, answer or piece is where the connection breaks. */
  cut(): boolean;
  /** A WebSocket: "ok", "refused" before it opens, "hangs" or is "unanswered" while connecting, "mute" after its first answer, "silent" from the start. */
  webSocket: "ok" | "refused" | "hangs" | "unanswered" | "mute" | "silent";
  /** A stream: "ok", or "held" until it ends. */
  streams: "ok" | "held";
  /** HTTP status of everything, or 0. */
  status: number;
  /** The browser hides answers, except to those who ask for a file. */
  hidden: boolean;
  /** Nothing gets through. */
  down: boolean;
}

export function noFaults(): Faults {
  return { delay: () => 1, piece: () => 1 << 20, longest: Infinity, cut: () => false, webSocket: "ok", streams: "ok", status: 0, hidden: false, down: false };
}

/** A network with a proxy at its end, in the shape of the browser's own classes. */
export class Network {
  /** Addresses asked for, with "ws" before those of WebSockets. */
  readonly requests: string[] = [];
  /** Requests running now, without WebSockets, and most at a time. */
  running = 0;
  mostRunning = 0;
  readonly sockets: FakeWebSocket[] = [];

  constructor(
    readonly clock: Clock,
    readonly proxy: Proxy,
    readonly faults: Faults = noFaults(),
  ) {}

  get platform(): Platform {
    const network = this;
    class Bound extends FakeWebSocket {
      constructor(url: string, init: { protocols: string[] }) {
        super(network, url, init.protocols);
      }
    }
    return {
      clock: this.clock,
      WebSocket: Bound as unknown as typeof WebSocket,
      fetch: this.fetch as typeof fetch,
      streamingFetch: true,
    };
  }

  /** One direction of a connection: calls f after the delay of the network, in the order of the calls. */
  lane(): (f: () => void) => void {
    let last = 0;
    return (f) => {
      last = Math.max(last, this.clock.now() + this.faults.delay());
      this.clock.after(last - this.clock.now(), f);
    };
  }

  readonly fetch = (url: string, init: RequestInit): Promise<Response> => {
    const name = new URL(url).pathname.replace("/session/", "");
    this.requests.push(name);
    this.running++;
    this.mostRunning = Math.max(this.mostRunning, this.running);
    let counted = true;
    const done = (): void => {
      if (counted) this.running--;
      counted = false;
    };
    return new Promise<Response>((resolve, reject) => {
      let over = false;
      const fail = (): void => {
        if (over) return;
        over = true;
        done();
        reject(new TypeError("Failed to fetch"));
      };
      init.signal?.addEventListener("abort", fail);
      this.lane()(() => {
        if (over) return;
        const hidden = this.faults.hidden && init.method !== "HEAD";
        const long = ((init.body as Bytes | undefined)?.length ?? 0) > this.faults.longest;
        if (this.faults.down || hidden || long || this.faults.cut()) fail();
        else this.serve(name, init, (response) => {
          if (over) return;
          over = true;
          init.signal?.removeEventListener("abort", fail);
          resolve(response);
        }, done, fail); // prettier-ignore
      });
    });
  };

  private serve(name: string, init: RequestInit, answer: (r: Response) => void, done: () => void, fail: () => void): void {
    if (init.method === "HEAD") {
      done();
      answer(new Response(null));
      return;
    }
    if (this.faults.status) {
      done();
      answer(new Response("no", { status: this.faults.status }));
      return;
    }
    const records = decodeRecords(init.body as Bytes);
    const hello = this.proxy.hello(records[0]);
    if ("cause" in hello) {
      done();
      const close: SessionRecord = { type: "CLOSE", cause: hello.cause, retry: hello.retry, text: "" };
      answer(new Response(encodeRecords([close]), { status: hello.cause === 13 ? 404 : hello.retry ? 503 : 403 }));
      return;
    }
    const { session } = hello;
    const pongs: SessionRecord[] = [];
    session.take(records.slice(1), 0, (r) => pongs.push(r));
    if (name === "send") {
      this.lane()(() => {
        done();
        if (this.faults.down || this.faults.cut()) answer(broken());
        else answer(new Response(encodeRecords([{ type: "ACK", id: session.received }])));
      });
      session.downlink?.send(pongs);
      return;
    }
    if (records[0].type === "RESUME") session.take([{ type: "ACK", id: records[0].ack }], 0, () => {});
    const first = hello.first.type === "ACK" ? { ...hello.first, id: session.received } : { ...hello.first, ack: session.received };
    const body = new Body(this, session, name === "long-polling", init.signal ?? null, done);
    session.attach(hello.ack, body, first as SessionRecord);
    body.send(pongs);
    if (name === "long-polling") {
      body.whenEnded(answer, fail);
      if (records.some((r) => r.type === "DATA" || r.type === "END")) this.clock.after(1000, () => body.answerNow());
    }
    else answer(new Response(body.stream));
  }
}

function broken(): Response {
  return new Response(new ReadableStream({ start: (c) => c.error(new TypeError("network error")) }));
}

/** The body of an answer that a downlink fills. */
class Body implements Downlink {
  readonly stream: ReadableStream<Uint8Array>;
  private controller!: ReadableStreamDefaultController<Uint8Array>;
  private readonly deliver: (f: () => void) => void;
  private queue: Uint8Array[] = [];
  private sending = false;
  private over = false;
  private ended = false;
  private answer: ((r: Response) => void) | null = null;
  private fail: (() => void) | null = null;

  constructor(
    private readonly network: Network,
    private readonly session: ProxySession,
    private readonly poll: boolean,
    signal: AbortSignal | null,
    private readonly done: () => void,
  ) {
    this.deliver = network.lane();
    this.stream = new ReadableStream({ start: (c) => { this.controller = c; } }); // prettier-ignore
    signal?.addEventListener("abort", () => this.break());
  }

  /** Polls are answered when there is news, with all of it. */
  whenEnded(answer: (r: Response) => void, fail: () => void): void {
    this.answer = answer;
    this.fail = fail;
    this.tryAnswer();
  }

  send(records: SessionRecord[]): void {
    if (this.over || this.ended || records.length === 0) return;
    this.queue.push(encodeRecords(records));
    if (this.poll) this.tryAnswer(records);
    else if (this.network.faults.streams === "ok") this.flow();
  }

  /** The acknowledgement has waited long enough. */
  answerNow(): void {
    this.tryAnswer([], true);
  }

  end(): void {
    if (this.over) return;
    this.ended = true;
    this.session.detach(this);
    if (this.poll) this.tryAnswer([], true);
    else this.flow();
  }

  /** What has arrived by now. */
  private ack(): Uint8Array {
    return encodeRecords([{ type: "ACK", id: this.session.received }]);
  }

  private news = false;

  private tryAnswer(records: SessionRecord[] = [], now = false): void {
    this.news ||= now || records.some((r) => r.type !== "ACK");
    if (!this.news || !this.answer || this.sending) return;
    this.sending = true;
    this.deliver(() => {
      if (this.over) return;
      this.over = true;
      this.done();
      this.session.detach(this);
      if (this.network.faults.down || this.network.faults.cut()) this.fail!();
      else this.answer!(new Response(new Blob([...this.queue, this.ack()] as BlobPart[])));
    });
  }

  /** One piece after the other, each with the delay of the network. */
  private flow(): void {
    if (this.sending || this.over) return;
    const next = this.queue[0];
    if (!next) {
      if (this.ended) this.finish();
      return;
    }
    this.sending = true;
    this.deliver(() => {
      this.sending = false;
      if (this.over) return;
      if (this.network.faults.down || this.network.faults.cut()) {
        this.break();
        return;
      }
      const n = Math.min(this.network.faults.piece(), next.length);
      if (n === next.length) this.queue.shift();
      else this.queue[0] = next.subarray(n);
      this.controller.enqueue(next.slice(0, n));
      this.flow();
    });
  }

  private finish(): void {
    this.over = true;
    this.done();
    this.controller.close();
  }

  private break(): void {
    if (this.over) return;
    this.over = true;
    this.done();
    this.session.detach(this);
    this.controller.error(new TypeError("network error"));
  }
}

/** A browser's WebSocket as far as the client uses it. */
export class FakeWebSocket implements Downlink {
  onopen: (() => void) | null = null;
  onmessage: ((e: { data: unknown }) => void) | null = null;
  onclose: ((e: { code: number }) => void) | null = null;
  onerror: (() => void) | null = null;
  binaryType = "";
  bufferedAmount = 0;
  protocol = "";
  readonly openedAt: number;
  private session: ProxySession | null = null;
  private next = 0;
  private over = false;
  private closing = false; // by the client, which hears nothing more
  private messages = 0; // from the proxy
  private readonly up: (f: () => void) => void;
  private downwards: (f: () => void) => void;

  constructor(
    private readonly network: Network,
    url: string,
    readonly protocols: string[],
  ) {
    this.openedAt = network.clock.now();
    this.up = network.lane();
    this.downwards = network.lane();
    network.requests.push("ws " + new URL(url).pathname.replace("/session/", ""));
    network.sockets.push(this);
    if (network.faults.webSocket !== "hangs") this.connect();
  }

  /** The request for it goes on its way. */
  connect(): void {
    const { network, protocols } = this;
    this.up(() => {
      if (this.over || this.closing) return;
      if (network.faults.down || network.faults.webSocket === "refused") {
        this.drop(1006);
        return;
      }
      if (network.faults.webSocket === "unanswered") {
        this.downwards = () => {};
      } else {
        this.protocol = protocols[0] ?? "";
        this.onopen?.();
      }
      if (protocols.length > 1) this.arrived(decodeBase64url(protocols[1]));
    });
  }

  send(data: Bytes | SessionRecord[]): void {
    if (Array.isArray(data)) this.fromProxy(data);
    else this.fromClient(data.slice());
  }

  /** The client closes: what it has sent before still arrives. */
  close(): void {
    this.closing = true;
    this.up(() => this.gone());
  }

  /** The connection ends with this code. */
  drop(code: number): void {
    if (this.over) return;
    this.gone();
    if (!this.closing) this.onclose?.({ code });
  }

  private gone(): void {
    this.over = true;
    this.session?.detach(this);
  }

  end(cause: number): void {
    if (this.network.faults.webSocket === "silent") return;
    this.downwards(() => this.drop(4000 + cause));
  }

  private fromClient(data: Bytes): void {
    this.up(() => this.arrived(data));
  }

  private arrived(data: Bytes): void {
    if (this.over) return;
    if (this.network.faults.down || data.length > this.network.faults.longest || this.network.faults.cut()) {
      this.drop(1006);
      return;
    }
    if (this.network.faults.webSocket === "mute" && this.messages > 0) return;
    let records = decodeRecords(data);
    if (!this.session) {
      const hello = this.network.proxy.hello(records[0]);
      if ("cause" in hello) {
        this.fromProxy([{ type: "CLOSE", cause: hello.cause, retry: hello.retry, text: "" }]);
        this.end(hello.cause);
        return;
      }
      this.session = hello.session;
      records = records.slice(1);
      hello.session.attach(hello.ack, this, hello.first);
    }
    this.next = this.session.take(records, this.next, (r) => this.fromProxy([r]));
    if (this.session.closed < 0) this.fromProxy([{ type: "ACK", id: this.session.received }]);
  }

  private fromProxy(records: SessionRecord[]): void {
    const data = encodeRecords(records);
    this.downwards(() => {
      if (this.over || this.network.faults.webSocket === "silent") return;
      if (this.network.faults.down || this.network.faults.cut()) {
        this.drop(1006);
        return;
      }
      if (this.network.faults.webSocket === "mute" && this.messages > 0) return;
      this.messages++;
      if (!this.closing) this.onmessage?.({ data: data.slice().buffer });
    });
  }
}
