import assert from "node:assert/strict";
import test from "node:test";

import { command } from "../src/irc/commands.ts";
import { fold, format, Lines, parse, pieces, plain } from "../src/irc/message.ts";
import { Session } from "../src/irc/session.ts";

test("parse: takes lines apart", () => {
  const cases: [string, ReturnType<typeof parse>][] = [
    ["PING :irc.example", { from: "", command: "PING", params: ["irc.example"] }],
    [":ann!~a@host PRIVMSG #encke :hello  there", { from: "ann", command: "PRIVMSG", params: ["#encke", "hello  there"] }],
    [":irc.example 353 me = #encke :@ann +bob me", { from: "irc.example", command: "353", params: ["me", "=", "#encke", "@ann +bob me"] }],
    ["@time=2026;x :ann!a@h JOIN #encke", { from: "ann", command: "JOIN", params: ["#encke"] }],
    [":ann!a@h TOPIC #encke :", { from: "ann", command: "TOPIC", params: ["#encke", ""] }],
    [":ann!a@h PRIVMSG me ::)", { from: "ann", command: "PRIVMSG", params: ["me", ":)"] }],
    ["nick   x", { from: "", command: "NICK", params: ["x"] }],
    ["", null],
    [":lonely", null],
    ["@tags", null],
  ];
  for (const [line, want] of cases) {
    assert.deepEqual(parse(line), want, line);
  }
});

test("format: no parameter can start another line", () => {
  assert.equal(format("PRIVMSG", "#a", "x\r\nQUIT"), "PRIVMSG #a :x QUIT");
  assert.equal(format("PRIVMSG", "#a", ":)"), "PRIVMSG #a ::)");
  assert.equal(format("TOPIC", "#a", ""), "TOPIC #a :");
});

test("lines: are whole whatever the pieces", () => {
  const lines = new Lines();
  const found = [..."one\r\ntwo\nthree\r\nfo"].flatMap((c) => lines.take(c));
  assert.deepEqual(found, ["one", "two", "three"]);
});

test("pieces: fit, lose nothing and break no character", () => {
  const text = "añ😀 ".repeat(200).trim();
  const found = pieces(text, 100);
  for (const piece of found) {
    assert.ok(new TextEncoder().encode(piece).length <= 100);
    assert.ok(!piece.includes("\ufffd") && !/^[\udc00-\udfff]/.test(piece));
  }
  assert.equal(found.join(" "), text);
  assert.equal(pieces("x".repeat(250), 100).join(""), "x".repeat(250));
});

test("plain, fold: as servers and people see it", () => {
  assert.equal(plain("\x0304,12red\x03 \x02bold\x0f 5"), "red bold 5");
  assert.equal(fold("Nick[a]\\"), "nick{a}|");
});

/** A session and what it did. */
function started(): { session: Session; sent: string[]; log: string[] } {
  const sent: string[] = [];
  const log: string[] = [];
  const session = new Session("me", (line) => sent.push(line), {
    line: (window, kind, who, text) => log.push(`${window}|${kind}|${who}|${text}`),
    changed: () => undefined,
    opened: (window) => log.push(`open ${window}`),
    closed: (window) => log.push(`close ${window}`),
    registered: () => log.push("registered"),
  });
  session.register();
  return { session, sent, log };
}

test("session: registers, evades a taken nick, answers pings", () => {
  const { session, sent, log } = started();
  session.receive(":s 433 * me :Nickname is already in use");
  session.receive("PING :abc");
  session.receive(":s 001 me_ :Welcome");
  assert.deepEqual(sent, ["NICK me", "USER encke 0 * :A web page", "NICK me_", "PONG abc"]);
  assert.equal(session.nick, "me_");
  assert.ok(log.includes("registered"));
});

test("session: keeps the members of a channel", () => {
  const { session, log } = started();
  session.receive(":s 001 me :Welcome");
  session.receive(":me!m@h JOIN :#Encke");
  session.receive(":s 353 me = #encke :me @ann +bob");
  session.receive(":s 366 me #encke :End");
  assert.deepEqual(session.channel("#ENCKE")?.list(), ["@ann", "+bob", "me"]);

  session.receive(":bob!b@h NICK robert");
  session.receive(":ann!a@h QUIT :gone");
  session.receive(":carl!c@h JOIN #encke");
  assert.deepEqual(session.channel("#encke")?.list(), ["+robert", "carl", "me"]);

  session.receive(":carl!c@h PRIVMSG #encke :\x01ACTION waves\x01");
  session.receive(":carl!c@h PRIVMSG me :psst");
  session.receive(":robert!b@h KICK #encke me :out");
  assert.deepEqual(log.slice(-4), [
    "#encke|action|carl|waves",
    "carl|said|carl|psst",
    "#encke|info|me|was kicked by robert (out)",
    "close #encke",
  ]);
});

test("command: does what was typed, or says why not", () => {
  const { session, sent, log } = started();
  sent.length = 0;
  assert.equal(command(session, "#a", "/join b"), "");
  assert.equal(command(session, "#a", "/me waves"), "");
  assert.equal(command(session, "#a", "/msg ann hello you"), "");
  assert.equal(command(session, "#a", "//not a command"), "");
  assert.equal(command(session, "#a", "/part so long"), "");
  assert.equal(command(session, "#a", "/nick you"), "");
  assert.deepEqual(sent, [
    "JOIN #b",
    "PRIVMSG #a :\x01ACTION waves\x01",
    "PRIVMSG ann :hello you",
    "PRIVMSG #a :/not a command",
    "PART #a :so long",
    "NICK you",
  ]);
  assert.ok(log.includes("ann|said|me|hello you"));
  assert.match(command(session, "", "hello"), /Nobody listens/);
  assert.match(command(session, "#a", "/dance"), /not known/);
});
