import type { Bytes } from "./bytes.ts";
import { Carrier } from "./carrier.ts";
import { type Cause, cause } from "./cause.ts";
import { Chooser } from "./chooser.ts";
import { Timer } from "./clock.ts";
import { Endpoint } from "./endpoint.ts";
import type { Attempt } from "./error.ts";
import type { Transport, TransportName } from "./link.ts";
import { Mux } from "./mux.ts";
import type { Platform } from "./platform.ts";
import { Session } from "./session.ts";
import type { Socket, SocketEvents, Target } from "./socket.ts";
import type { LinkDetail, LinkState } from "./state.ts";
import { Verdicts, type Storage } from "./verdicts.ts";

/** How long a session without sockets is kept for the next one, in ms. */
const idleFor = 5000;

/** A socket of the page that wants to know what happens to its session. */
export interface Rider {
  stateChanged(state: LinkState): void;
  transportChanged(): void;
  detail(d: LinkDetail): void;
}

/** What a trunk is made of. */
export interface TrunkSettings {
  /** The proxy's address, ending in "/". */
  base: string;
  /** What may be used, the best first. */
  transports: readonly Transport[];
  platform: Platform;
  storage: Storage;
}

/**
 * One session of a page with one proxy, and the sockets that share it. It begins
 * with its first socket and ends some seconds after its last one.
 */
export class Trunk {
  state: LinkState = "connecting";
  /** The transport of the current downlink, or null. */
  transport: TransportName | null = null;
  /** Why nothing worked, once the session is over for that reason. */
  attempts: Attempt[] | undefined;
  /** Whether new sockets may join. */
  takesSockets = true;
  /** The riders that listen to every detail. */
  readonly watchers = new Set<Rider>();

  private readonly riders = new Set<Rider>();
  private readonly mux: Mux;
  private readonly carrier: Carrier;
  private readonly idle: Timer;
  private waking = false;
  private shown: TransportName | null = null; // what the riders were last told

  /** @param gone is called when the trunk takes no more sockets */
  constructor(
    settings: TrunkSettings,
    private readonly gone: (over: boolean) => void,
  ) {
    const { platform, base } = settings;
    const { clock } = platform;
    this.idle = new Timer(clock, () => this.carrier.close());
    this.mux = new Mux({
      ready: () => this.wake(),
      empty: () => this.empty(),
      goAway: () => this.retire(),
    });
    const usable = settings.transports.filter((t) => !t.missing(platform));
    const missing = settings.transports.filter((t) => t.missing(platform)).map((t) => ({ transport: t.name, reason: t.missing(platform) }));
    const verdicts = new Verdicts(settings.storage, `encke:verdicts:${base}`, clock.wall);
    this.carrier = new Carrier(
      {
        session: new Session(randomKey(), { received: (data) => this.mux.receive(data) }),
        chooser: new Chooser(usable, verdicts, clock.now),
        endpoint: new Endpoint(base),
        platform,
        missing,
        pull: (max, turn) => this.mux.pull(max, turn),
      },
      this.carrierEvents(),
    );
    // Later, so that the first socket's frames ride on the first request.
    clock.after(0, () => this.carrier.start());
  }

  /** Opens a socket on this session. */
  open(target: Target, events: SocketEvents, rider: Rider): Socket {
    this.idle.stop();
    this.riders.add(rider);
    return this.mux.open(target, events);
  }

  /** A rider's socket is over. */
  leave(rider: Rider): void {
    this.riders.delete(rider);
    this.watchers.delete(rider);
  }

  suspect(): void {
    this.carrier.suspect();
  }

  cut(): void {
    this.carrier.cut();
  }

  /** The page is about to be gone. */
  unload(): void {
    this.carrier.close(true);
  }

  private carrierEvents(): ConstructorParameters<typeof Carrier>[1] {
    const trunk = this;
    return {
      state: (state, transport) => this.changed(state, transport),
      over: (why, attempts) => this.over(why, attempts),
      get detail() {
        return trunk.watchers.size === 0 ? null : (d: LinkDetail) => {
          for (const rider of [...trunk.watchers]) rider.detail(d);
        }; // prettier-ignore
      },
    };
  }

  private changed(state: LinkState, transport: TransportName | null): void {
    const stateChanged = state !== this.state;
    const transportChanged = transport !== null && transport !== this.shown;
    this.state = state;
    this.transport = transport;
    if (transport) this.shown = transport;
    for (const rider of [...this.riders]) {
      if (stateChanged) rider.stateChanged(state);
      if (transportChanged) rider.transportChanged();
    }
  }

  /** What is written within one turn of the event loop leaves together. */
  private wake(): void {
    if (this.waking) return;
    this.waking = true;
    void Promise.resolve().then(() => {
      this.waking = false;
      this.carrier.wake();
    });
  }

  private empty(): void {
    this.idle.set(this.takesSockets ? idleFor : 0);
  }

  private retire(): void {
    if (!this.takesSockets) return;
    this.takesSockets = false;
    this.gone(false);
    if (this.mux.size === 0) this.empty();
  }

  private over(why: Cause, attempts?: Attempt[]): void {
    this.takesSockets = false;
    this.attempts = attempts;
    this.idle.stop();
    this.gone(true);
    // A socket that had not ended is not cleanly closed by the end of its session.
    this.mux.fail(why.code === "closed" ? cause("session-lost", "the session was closed") : why);
    this.idle.stop();
  }
}

/** 16 bytes that nobody can guess. */
function randomKey(): Bytes {
  return crypto.getRandomValues(new Uint8Array(16));
}
