import assert from "node:assert/strict";

export class FakeElement {
  onload: (() => void) | null = null;
  onerror: (() => void) | null = null;
  src = "";
  async = false;
  hidden = false;
  title = "";
  referrerPolicy = "";
  contentWindow = { name: "the frame" };
  constructor(
    readonly kind: string,
    private readonly parent: FakeElement[],
  ) {}
  setAttribute(): void {}
  appendChild(e: FakeElement): void {
    this.parent.push(e);
  }
  remove(): void {
    this.parent.splice(this.parent.indexOf(this), 1);
  }
}

export function fakeDocument(): { elements: FakeElement[]; document: object } {
  const elements: FakeElement[] = [];
  const place = new FakeElement("place", elements);
  return { elements, document: { createElement: (kind: string) => new FakeElement(kind, elements), head: place, body: place, documentElement: place } };
}

/** Answers the script as the proxy would: calls what it names. */
export function callBack(script: FakeElement, value: unknown): void {
  const query = new URL(script.src).searchParams;
  assert.match(query.get("callback")!, /^[A-Za-z_$][A-Za-z0-9_$]*(\.[A-Za-z_$][A-Za-z0-9_$]*){0,4}$/);
  assert.match(query.get("seq")!, /^\d{1,9}$/);
  let f: unknown = globalThis;
  for (const name of query.get("callback")!.split(".")) f = (f as { [n: string]: unknown })[name];
  (f as (seq: number, batch: unknown) => void)(Number(query.get("seq")), value);
}
