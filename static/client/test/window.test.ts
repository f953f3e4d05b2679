import assert from "node:assert/strict";
import { test } from "node:test";
import { WireError } from "../src/cause.ts";
import { ReceiveWindow } from "../src/window.ts";

/** Takes pieces of a quarter as they come, n times; all credit the proxy got. */
function follow(w: ReceiveWindow, piece: number, n: number): number {
  let credit = 0;
  for (let i = 0; i < n; i++) {
    w.arrived(piece);
    w.consumed(piece);
    if (w.due) credit += w.take();
  }
  return credit;
}

test("the window doubles up to its largest while the page takes what comes", () => {
  const w = new ReceiveWindow(1000, 6000);
  assert.equal(follow(w, 250, 3), 750);
  assert.equal(follow(w, 250, 1), 250 + 1000);
  assert.equal(follow(w, 500, 4), 2000 + 2000);
  assert.equal(follow(w, 1000, 4), 4000 + 2000); // 6000 now
  assert.equal(follow(w, 1500, 40), 60_000);
  w.arrived(6000);
  assert.throws(() => w.arrived(1), WireError);
});

test("the window stays as it is while much is left lying", () => {
  const w = new ReceiveWindow(1000, 16_000);
  w.arrived(600);
  for (let i = 0; i < 100; i++) {
    w.arrived(250);
    w.consumed(250);
    assert.equal(w.take(), 250);
  }
  w.consumed(350); // a quarter is left
  assert.equal(w.take(), 350 + 1000);
});

test("a window without a largest stays as it is", () => {
  assert.equal(follow(new ReceiveWindow(1000), 250, 100), 25_000);
});
