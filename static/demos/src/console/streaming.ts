import { byteSize } from "../bytesize.ts";
import { byId, say } from "../dom.ts";
import { Stream } from "./stream.ts";

/** The panel of the checked stream. */
export class Streaming {
  private stream: Stream | null = null;
  private frame = 0;
  private readonly button = byId("stream", HTMLButtonElement);
  private readonly verdict = byId("stream-verdict", HTMLElement);

  get running(): boolean {
    return this.stream !== null;
  }

  /** Runs a stream over write until stop(); done when everything came back. */
  async run(write: (bytes: Uint8Array<ArrayBuffer>) => Promise<void>): Promise<void> {
    const stream = new Stream(write, Number(byId("rate", HTMLSelectElement).value));
    this.stream = stream;
    say(this.button, "Stop");
    say(this.verdict, "");
    this.changed(stream);
    try {
      await stream.run();
    } finally {
      this.end(stream);
    }
  }

  back(bytes: Uint8Array): void {
    if (this.stream) {
      this.stream.back(bytes);
      this.changed(this.stream);
    }
  }

  cut(): void {
    if (this.stream) {
      this.stream.cuts++;
      this.changed(this.stream);
    }
  }

  stop(): void {
    this.stream?.stop();
    say(this.verdict, "Waiting for what is still on its way …");
  }

  /** The socket is over; what did not come back will not come any more. */
  abandon(): void {
    if (this.stream) {
      this.end(this.stream);
    }
  }

  private end(stream: Stream): void {
    if (this.stream !== stream) {
      return; // it was ended by abandon
    }
    this.stream = null;
    say(this.button, "Start");
    this.changed(stream);
    const cuts = stream.cuts === 1 ? "one cut" : `${stream.cuts} cuts`;
    this.verdict.className = `verdict ${stream.intact ? "good" : "bad"}`;
    say(
      this.verdict,
      stream.intact
        ? `All ${byteSize(stream.sent)} came back, each byte once and in its place, through ${cuts}.`
        : `${byteSize(stream.sent)} were sent, ${byteSize(stream.checker.good)} came back in order.`,
    );
  }

  private changed(stream: Stream): void {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.show(stream);
    });
  }

  private show(stream: Stream): void {
    const { good, lost, doubled, altered } = stream.checker;
    say(byId("stream-sent", HTMLElement), byteSize(stream.sent));
    say(byId("stream-back", HTMLElement), byteSize(good));
    say(byId("stream-cuts", HTMLElement), String(stream.cuts));
    for (const [id, bytes] of [["stream-lost", lost], ["stream-doubled", doubled], ["stream-altered", altered]] as const) {
      const fact = byId(id, HTMLElement);
      say(fact, bytes === 0 ? "0" : byteSize(bytes));
      fact.className = bytes === 0 ? "good" : "bad";
    }
  }
}
