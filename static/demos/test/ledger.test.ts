import assert from "node:assert/strict";
import test from "node:test";

import { Ledger } from "../src/console/ledger.ts";

test("ledger: bytes are in flight until acknowledged, and packets sent again count once", () => {
  const ledger = new Ledger();
  ledger.take({ kind: "packet-sent", id: 1, bytes: 10 });
  ledger.take({ kind: "packet-sent", id: 2, bytes: 20 });
  ledger.take({ kind: "packet-sent", id: 3, bytes: 30 });
  assert.equal(ledger.inFlight, 60);

  ledger.take({ kind: "ack-received", id: 2 });
  assert.equal(ledger.inFlight, 30);

  ledger.take({ kind: "cut" });
  ledger.take({ kind: "resume" });
  ledger.take({ kind: "packet-sent", id: 3, bytes: 30 });
  assert.equal(ledger.inFlight, 30);
  assert.equal(ledger.packetsUp, 3);
  assert.equal(ledger.again, 1);
  assert.equal(ledger.reconnects, 1);

  ledger.take({ kind: "ack-received", id: 3 });
  ledger.take({ kind: "ack-received", id: 1 });
  assert.equal(ledger.inFlight, 0);
  assert.equal(ledger.acksIn, 3);
});
