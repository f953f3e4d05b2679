// irc-framework with its own TCP transport.
import IRC from "irc-framework";
import Transport from "irc-framework/src/transports/net.js";
import { Inbox, publish } from "./client.js";

let irc;
const messages = new Inbox();
const joins = new Inbox();

publish({
  /** Registers and resolves to the server's welcome. */
  connect: ({ host, port, nick }) =>
    new Promise((resolve, reject) => {
      irc = new IRC.Client();
      irc.on("registered", (event) => resolve({ nick: event.nick, transport: irc.connection.transport.socket.transport }));
      irc.on("close", () => {
        reject(new Error("closed before it was registered"));
        messages.fail(new Error("closed"));
        joins.fail(new Error("closed"));
      });
      irc.on("join", (event) => joins.put(event));
      irc.on("privmsg", (event) => messages.put(event));
      irc.connect({ host, port, nick, username: nick, gecos: "test", auto_reconnect: false, ping_interval: 0, transport: Transport });
    }),
  /** Joins and resolves when `nick` (oneself or another) has joined. */
  join: (channel) => irc.join(channel),
  joined: (nick) => joins.take((event) => event.nick === nick).then((event) => event.channel),
  say: (target, text) => irc.say(target, text),
  /** The next message of `nick`. */
  heard: (nick) => messages.take((event) => event.nick === nick).then((event) => ({ target: event.target, text: event.message })),
  quit: () =>
    new Promise((resolve) => {
      irc.once("close", () => resolve());
      irc.quit("bye");
    }),
});
