import { byId, make } from "../dom.ts";
import { append } from "../scroll.ts";
import { dump, visible } from "./hex.ts";

/** Most entries, and most bytes of one entry, that stay on the page. */
const mostEntries = 300;
const mostBytes = 4096;

type Direction = "sent" | "received";

interface Entry {
  direction: Direction;
  bytes: Uint8Array; // what is shown
  total: number; // what there was
  offset: number; // position of the first byte in its direction
}

/** The bytes of a socket, both ways, as text or hex. */
export class Transcript {
  private readonly list = byId("bytes", HTMLOListElement);
  private entries = new Map<HTMLLIElement, Entry>();
  private positions = { sent: 0, received: 0 };
  private decoders = newDecoders();
  private hex = false;

  /** Starts counting at zero, for a new socket. */
  start(): void {
    this.positions = { sent: 0, received: 0 };
    this.decoders = newDecoders();
  }

  clear(): void {
    this.list.replaceChildren();
    this.entries.clear();
  }

  /** Adds a line of the page's own. */
  note(text: string, kind = "info"): void {
    append(this.list, mostEntries, () => this.list.append(make("li", { class: `event ${kind}` }, text)));
  }

  add(direction: Direction, bytes: Uint8Array): void {
    const entry: Entry = {
      direction,
      bytes: bytes.slice(0, mostBytes), // a copy: the sender may use its buffer again
      total: bytes.length,
      offset: this.positions[direction],
    };
    this.positions[direction] += bytes.length;
    const item = make("li", { class: `chunk ${direction}` });
    item.append(
      make("span", { class: "hidden" }, `${direction}: `),
      make("pre", {}, this.render(entry)),
    );
    append(this.list, mostEntries, () => this.list.append(item));
    this.entries.set(item, entry);
    if (this.entries.size > 2 * mostEntries) {
      this.entries = new Map([...this.entries].filter(([e]) => e.isConnected));
    }
  }

  /** Shows everything again, as hex or as text. */
  showAs(hex: boolean): void {
    this.hex = hex;
    this.decoders = newDecoders();
    for (const [item, entry] of this.entries) {
      const pre = item.querySelector("pre");
      if (pre && item.isConnected) {
        pre.textContent = this.render(entry);
      }
    }
  }

  private render(entry: Entry): string {
    const more = entry.total > entry.bytes.length ? `\n... and ${entry.total - entry.bytes.length} bytes more` : "";
    if (this.hex) {
      return dump(entry.bytes, entry.offset) + more;
    }
    // A character may be cut in two by where the network cut the bytes.
    return visible(this.decoders[entry.direction].decode(entry.bytes, { stream: !more })) + more;
  }
}

const newDecoders = () => ({ sent: new TextDecoder(), received: new TextDecoder() });
