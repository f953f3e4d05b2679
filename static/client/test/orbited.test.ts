import assert from "node:assert/strict";
import { test } from "node:test";
import { causeNames } from "../src/cause.ts";
import { TCPSocket as Plain } from "../src/module.ts";
import { orbited } from "../src/orbited/api.ts";
import { codeOf, Errors, Statuses } from "../src/orbited/codes.ts";
import { proxyOf, settingsOf } from "../src/orbited/settings.ts";
import type { TCPSocket as Socket } from "../src/orbited/tcpsocket.ts";
import { base64, bytesOf, stringOf, utf8 } from "../src/orbited/strings.ts";
import type { EchoMux } from "./proxy.ts";
import { proxy, when } from "./pagekit.ts";

/** The API in a page of a new proxy, as a page whose script comes from it has it. */
function page(prepare?: (mux: EchoMux) => void) {
  const p = proxy(prepare);
  return { ...p, Orbited: orbited(`${Plain.proxy}static/Orbited.js`, undefined) };
}

/** Notes all that happens to a socket; ends with its close. */
function watch(s: Socket): { log: string[]; over: Promise<number> } {
  const log: string[] = [];
  s.onopen = () => log.push(`open ${s.readyState}`);
  s.onread = (data) => log.push(data);
  const over = new Promise<number>((resolve) => {
    s.onclose = (code) => {
      log.push(`close ${code}`);
      resolve(code);
    };
  });
  return { log, over };
}

test("text: states, data from a timer, and one close", async () => {
  const { Orbited } = page();
  const s = new Orbited.TCPSocket();
  assert.equal(s.readyState, 1);
  assert.throws(() => s.send("early"), { message: "Invalid readyState" });
  const { log, over } = watch(s);
  s.open("irc.example.org", "6667");
  assert.equal(s.readyState, 2);
  assert.throws(() => s.open("again", 1), { message: "Invalid readyState" });
  assert.throws(() => s.send("early"), { message: "Invalid readyState" });
  await when(() => s.readyState === 3);
  s.send("grüße €");
  await when(() => log.slice(1).join("") === "grüße €");
  const { close, send } = s; // methods can be taken off
  close();
  assert.equal(s.readyState, 5);
  assert.throws(() => send("late"), { message: "Invalid readyState" });
  assert.deepEqual(log.slice(-1), ["grüße €"]); // not from within the call
  assert.equal(await over, Errors.UserConnectionReset);
  close();
  s.reset();
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(log, ["open 3", "grüße €", "close 103"]);
});

test("characters that are cut come whole", async () => {
  const { Orbited, opened } = page((mux) => (mux.silent = true));
  const s = new Orbited.TCPSocket();
  const { log, over } = watch(s);
  s.open("h", 1);
  await when(() => s.readyState === 3);
  for (const byte of Buffer.from("€😀")) opened().say({ type: "DATA", socket: 1, data: new Uint8Array([byte]) });
  opened().say({ type: "EOF", socket: 1 });
  assert.equal(await over, Statuses.ServerClosedConnection);
  assert.equal(s.readyState, 5);
  assert.deepEqual(log, ["open 3", "€", "😀", "close 201"]);
});

test("bytes are the characters up to U+00FF", async () => {
  const { Orbited } = page();
  const s = new Orbited.TCPSocket();
  const { log } = watch(s);
  s.open("h", 1, true);
  await when(() => s.readyState === 3);
  const all = String.fromCharCode(...Array.from({ length: 256 }, (_, i) => i));
  assert.throws(() => s.send("€"), /no byte/);
  s.send(all);
  await when(() => log.slice(1).join("") === all);
  s.reset();
});

test("a socket that can not be opened gets the code of the cause", async () => {
  for (const [cause, code] of [[1, 106], [2, 102], [3, 108], [4, 108], [6, 108], [9, 108]]) {
    const { Orbited } = page((mux) => (mux.refuse = cause));
    const s = new Orbited.TCPSocket();
    const { log, over } = watch(s);
    s.open("h", 1);
    assert.equal(await over, code);
    assert.deepEqual([s.readyState, log], [5, [`close ${code}`]]);
  }
});

test("what can be no target", async () => {
  const { Orbited } = page();
  const s = new Orbited.TCPSocket();
  assert.throws(() => s.open("", 1), { message: "No hostname specified" });
  assert.throws(() => s.open("h", "http"), { message: "Invalid port specified" });
  assert.throws(() => new (Orbited.TCPSocket as unknown as new (x: number) => unknown)(1), { message: "TCPSocket() accepts no arguments" });
  assert.equal(s.readyState, 1);
  const { over } = watch(s);
  s.open("h", 70000);
  assert.equal(await over, Errors.InvalidHandshake);
});

test("closed or reset before it is open", async () => {
  const { Orbited } = page((mux) => (mux.silent = true));
  const never = new Orbited.TCPSocket();
  never.reset();
  assert.equal(never.readyState, 1);
  const ends = [(s: Socket) => s.close(), (s: Socket) => s.reset()];
  for (const end of ends) {
    const s = new Orbited.TCPSocket();
    const { log, over } = watch(s);
    s.open("h", 1);
    end(s);
    assert.equal(await over, 103);
    assert.deepEqual(log, ["close 103"]);
  }
  const early = watch(never);
  never.close();
  assert.equal(await early.over, 103);
});

test("every cause has a code that pages know", () => {
  const known = [...Object.values(Errors), ...Object.values(Statuses)];
  for (const cause of causeNames) {
    for (const wasOpen of [false, true]) assert.ok(known.includes(codeOf(cause, wasOpen)), cause);
  }
  assert.equal(codeOf("reset", true), 201);
  assert.equal(codeOf("session-lost", true), 101);
});

test("constants are where pages look for them", () => {
  const { Orbited } = page();
  const s = new Orbited.TCPSocket() as unknown as { [name: string]: unknown };
  const states = ["INITIALIZED", "OPENING", "OPEN", "CLOSING", "CLOSED"].map((n) => `READY_STATE_${n}`);
  assert.deepEqual(states.map((n) => s[n]), [1, 2, 3, 4, 5]);
  assert.deepEqual(states.map((n) => (Orbited.TCPSocket.prototype as unknown as { [name: string]: unknown })[n]), [1, 2, 3, 4, 5]);
  assert.match(String(s), /^<Orbited.TCPSocket \d+>$/);
});

test("settings say where the proxy is", () => {
  const location = (url: string) => new URL(url) as unknown as Location;
  for (const [script, at, want] of [
    ["http://p.test:8000/static/Orbited.js", "http://page.test/x", "http://p.test:8000/"],
    ["http://p.test/static/Orbited.js", "http://page.test:81/x", "http://p.test/"],
    ["https://p.test/deep/static/Orbited.js?v=1", "https://page.test/x", "https://p.test/deep/"],
    ["http://page.test:81/js/Orbited.js", "http://page.test:81/x", "http://page.test:81/"],
    [undefined, "https://page.test/x", "https://page.test/"],
  ] as const) {
    const { settings, prefix } = settingsOf(script, location(at));
    assert.equal(proxyOf(settings, prefix), want, `${script} in ${at}`);
  }
  const { settings, prefix } = settingsOf("http://page.test/js/Orbited.js", location("http://page.test/"));
  Object.assign(settings, { hostname: "other.test", port: 8080 });
  assert.equal(proxyOf(settings, prefix), "http://other.test:8080/");
  Object.assign(settings, { port: "", protocol: "https:" });
  assert.equal(proxyOf(settings, prefix), "https://other.test/");
});

test("the setting of the moment is used", async () => {
  const { Orbited } = page();
  const { hostname } = Orbited.settings;
  Orbited.settings.hostname = "elsewhere.test";
  Orbited.settings.hostname = hostname;
  const s = new Orbited.TCPSocket();
  watch(s);
  s.open("h", 1);
  await when(() => s.readyState === 3);
  s.close();
});

test("loggers are silent until they are enabled", () => {
  const { Orbited } = page();
  const logger = Orbited.getLogger("a");
  assert.equal(logger, Orbited.getLogger("a"));
  assert.equal(logger, Orbited.loggers["a"]);
  const said: unknown[][] = [];
  const log = console.log;
  console.log = (...args) => said.push(args);
  try {
    for (const method of ["log", "debug", "info", "warn", "error", "trace", "dir"] as const) logger[method]("no");
    logger.assert(false, "no");
    logger.setLevel(1);
    logger.addAppender({});
    logger.enabled = true;
    logger.log("yes", 1);
  } finally {
    console.log = log;
  }
  assert.deepEqual(said, [["a:", "yes", 1]]);
});

test("strings of bytes", () => {
  const bytes = Uint8Array.from({ length: 20_000 }, (_, i) => i);
  assert.deepEqual(bytesOf(stringOf(bytes)), bytes);
  assert.equal(utf8.encode("ä€"), "\xc3\xa4\xe2\x82\xac");
  for (const [text, want, taken] of [
    ["\xc3\xa4", "ä", 2],
    ["a\xc3", "a", 1],
    ["\xe2\x82", "", 0],
    ["\xe2\x82\xac\xe2", "€", 3],
    ["\xf0\x9f\x98", "", 0],
    ["\xf0\x9f\x98\x80", "😀", 4],
    ["", "", 0],
    ["\x80", "\ufffd", 1],
    ["\xff", "\ufffd", 1],
  ] as const) {
    assert.deepEqual(utf8.decode(text), [want, taken], JSON.stringify(text));
  }
  assert.equal(base64.decode(base64.encode("\0\xff")), "\0\xff");
});
