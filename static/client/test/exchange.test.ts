import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeRecords, encodeRecords } from "../src/encoding.ts";
import type { SessionRecord } from "../src/packet.ts";
import { Session } from "../src/session.ts";
import { type JSONUnit, recordFromJSON, recordToJSON } from "./json.ts";
import { exchanges, hex, readLines } from "./vectors.ts";

/**
 * Plays the client's part of a recorded exchange with our session core: what the
 * server said is fed to it, and every record of the client must be what the core
 * would say there. What the page sends, and when a timer lets an acknowledgement
 * go, is taken from the record; everything else is the core's own doing.
 */
class Replay {
  private session: Session | null = null;
  private fresh = true; // nothing was said on this link yet
  private next = 0; // id of the client's next packet on this link; 0: SEQ was not said
  private down = 0; // id of the server's next packet on this link
  private saidSeq = false;
  private pongs = 0;
  delivered: string[] = [];

  link(): void {
    this.fresh = true;
    this.next = 0;
    this.saidSeq = false;
    this.down = 0;
    this.pongs = 0;
  }

  client(want: SessionRecord): void {
    assert.deepEqual(this.say(want).map(recordToJSON), [recordToJSON(want)]); // prettier-ignore
  }

  /** What the core says where the record has want. */
  private say(want: SessionRecord): SessionRecord[] {
    if (this.fresh) {
      this.fresh = false;
      if (want.type === "NEW") this.session ??= new Session(want.key, { received: (d) => this.delivered.push(hex(d)) });
      return this.session ? [this.session.opening()] : [];
    }
    const s = this.session!;
    switch (want.type) {
      case "SEQ": {
        this.saidSeq = true;
        this.next = Math.max(this.next, s.outgoing.acked + 1);
        return [{ type: "SEQ", id: this.next }];
      }
      case "DATA":
      case "END": {
        assert.ok(this.saidSeq, "SEQ precedes the first packet of a link");
        if (this.next > s.outgoing.last) {
          if (want.type === "DATA") s.outgoing.push(want.data);
          else s.outgoing.end();
        }
        const [p] = s.outgoing.packets(this.next++, 1, 1).packets;
        return [p ? { type: "DATA", data: p } : { type: "END" }];
      }
      case "ACK":
        assert.notEqual(s.ackDue, "none", "nothing is to be acknowledged");
        return [s.ack()];
      case "PONG":
        return this.pongs-- > 0 ? [{ type: "PONG" }] : [];
      default: // PING, NOP and CLOSE are the owner's to say
        return [want];
    }
  }

  server(r: SessionRecord): void {
    const s = this.session!;
    switch (r.type) {
      case "WELCOME":
        assert.equal(s.welcome(r, 0), true);
        break;
      case "ACK":
        s.outgoing.acknowledge(r.id, 0);
        break;
      case "SEQ":
        this.down = r.id;
        break;
      case "DATA":
      case "END":
        assert.notEqual(this.down, 0, "SEQ precedes the first packet of a link");
        s.accept(this.down++, r.type === "DATA" ? r.data : null);
        break;
      case "PING":
        this.pongs++;
        break;
    }
  }
}

test("there are recorded exchanges", () => {
  assert.ok(exchanges().length > 0);
});

for (const path of exchanges()) {
  test(`${path} is what our session core says`, () => {
    const replay = new Replay();
    for (const line of readLines(path)) {
      const [word] = line.split(" ", 1);
      const rest = line.slice(word.length + 1);
      if (word === "LINK") replay.link();
      else if (word === "C") replay.client(record(rest));
      else if (word === "S") replay.server(record(rest));
      else assert.equal(word, "CUT", `unknown line ${JSON.stringify(line)}`);
    }
  });
}

/** Also through the encoding, there and back. */
function record(json: string): SessionRecord {
  const [r] = decodeRecords(encodeRecords([recordFromJSON(JSON.parse(json) as JSONUnit)]));
  return r;
}
