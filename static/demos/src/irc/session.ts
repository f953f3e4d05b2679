import { Channel } from "./channel.ts";
import { fold, format, isChannel, parse, pieces, plain, type Message } from "./message.ts";

/** How a line in a window looks. */
export type Kind = "said" | "action" | "notice" | "info" | "bad";

/** What a session tells its page. A window is named after a channel, a nick, or "" for the server. */
export interface Listener {
  line(window: string, kind: Kind, who: string, text: string): void;
  /** Members, topic or nick changed. */
  changed(window: string): void;
  opened(window: string): void;
  closed(window: string): void;
  registered(): void;
}

/** Bytes of text in one PRIVMSG: 512 less the prefix and command others see before it. */
const textLimit = 400;

/**
 * One registration on an IRC server, from NICK to QUIT. It knows neither sockets
 * nor the page: lines go in by receive(), come out by send.
 */
export class Session {
  readonly channels = new Map<string, Channel>(); // by folded name
  private ready = false;

  constructor(public nick: string, private readonly send: (line: string) => void, private readonly on: Listener) {}

  /** Introduces itself; to be called once the socket is open. */
  register(): void {
    this.send(format("NICK", this.nick));
    this.send(format("USER", "encke", "0", "*", "A web page"));
  }

  join(channel: string): void {
    this.send(format("JOIN", channel));
  }

  part(channel: string, reason: string): void {
    this.send(reason ? format("PART", channel, reason) : format("PART", channel));
  }

  /** Says something to a channel or a nick, in as many lines as it takes. */
  say(target: string, text: string): void {
    for (const piece of pieces(text, textLimit)) {
      this.send(format("PRIVMSG", target, piece));
      this.on.line(target, "said", this.nick, piece);
    }
  }

  act(target: string, text: string): void {
    for (const piece of pieces(text, textLimit)) {
      this.send(format("PRIVMSG", target, `\x01ACTION ${piece}\x01`));
      this.on.line(target, "action", this.nick, piece);
    }
  }

  rename(nick: string): void {
    if (!this.ready) {
      this.nick = nick; // no one answers a NICK before the welcome
    }
    this.send(format("NICK", nick));
  }

  quit(reason: string): void {
    this.send(format("QUIT", reason));
  }

  /** Sends a line as the user typed it. */
  raw(line: string): void {
    this.send(line.replace(/[\r\n\0]+/g, " "));
  }

  channel(name: string): Channel | undefined {
    return this.channels.get(fold(name));
  }

  receive(line: string): void {
    const message = parse(line);
    if (message) {
      this.handle(message);
    }
  }

  private handle({ from, command, params }: Message): void {
    const [first = "", second = "", third = ""] = params;
    const mine = fold(from) === fold(this.nick);
    switch (command) {
      case "PING":
        this.send(format("PONG", first));
        return;
      case "001":
        this.nick = first;
        this.ready = true;
        this.on.line("", "info", "", params[params.length - 1] ?? "");
        this.on.registered();
        return;
      case "433": // nickname in use
        if (!this.ready) {
          this.rename(`${this.nick}_`);
          this.on.line("", "info", "", `${second} is taken; asking for ${this.nick}`);
        } else {
          this.on.line("", "bad", "", `${second} is taken`);
        }
        return;
      case "JOIN":
        this.joined(from, first, mine);
        return;
      case "PART":
        this.left(from, first, `left${second ? ` (${plain(second)})` : ""}`, mine);
        return;
      case "KICK":
        this.left(second, first, `was kicked by ${from}${third ? ` (${plain(third)})` : ""}`, fold(second) === fold(this.nick));
        return;
      case "QUIT":
        this.everywhere(from, (channel) => channel.remove(from), `quit${first ? ` (${plain(first)})` : ""}`);
        return;
      case "NICK":
        if (mine) {
          this.nick = first;
        }
        this.everywhere(from, (channel) => channel.rename(from, first), `is now ${first}`);
        this.on.changed("");
        return;
      case "TOPIC":
        this.topic(first, second);
        this.on.line(first, "info", from, `set the topic: ${plain(second)}`);
        return;
      case "332":
        this.topic(second, third);
        return;
      case "353":
        this.channel(third)?.names((params[3] ?? "").split(" "));
        return;
      case "366":
        this.channel(second)?.namesEnd();
        this.on.changed(second);
        return;
      case "MODE":
        if (isChannel(first)) {
          this.on.line(first, "info", from, `set ${params.slice(1).join(" ")}`);
          this.send(format("NAMES", first)); // marks may have changed
        }
        return;
      case "PRIVMSG":
      case "NOTICE":
        this.spoken(command, from, first, second);
        return;
      case "ERROR":
        this.on.line("", "bad", "", first);
        return;
      default:
        this.other(from, command, params);
    }
  }

  private joined(nick: string, name: string, mine: boolean): void {
    if (mine && !this.channel(name)) {
      this.channels.set(fold(name), new Channel(name));
      this.on.opened(name);
    }
    this.channel(name)?.add(nick);
    this.on.line(name, "info", nick, "joined");
    this.on.changed(name);
  }

  private left(nick: string, name: string, how: string, mine: boolean): void {
    this.channel(name)?.remove(nick);
    this.on.line(name, "info", nick, how);
    this.on.changed(name);
    if (mine) {
      this.channels.delete(fold(name));
      this.on.closed(name);
    }
  }

  private everywhere(nick: string, change: (channel: Channel) => boolean, text: string): void {
    for (const channel of this.channels.values()) {
      if (change(channel)) {
        this.on.line(channel.name, "info", nick, text);
        this.on.changed(channel.name);
      }
    }
  }

  private topic(name: string, text: string): void {
    const channel = this.channel(name);
    if (channel) {
      channel.topic = plain(text);
      this.on.changed(name);
    }
  }

  /** A text for a channel, for this nick, or from the server itself. */
  private spoken(command: string, from: string, target: string, text: string): void {
    const request = /^\x01(\S+) ?([^\x01]*)\x01?$/.exec(text);
    const window = isChannel(target) ? target : command === "NOTICE" ? "" : from;
    if (request && request[1] !== "ACTION") {
      if (command === "PRIVMSG" && request[1] === "VERSION") {
        this.send(format("NOTICE", from, "\x01VERSION Encke demo, a TCP socket in a web page\x01"));
      }
      return;
    }
    const kind: Kind = request ? "action" : command === "NOTICE" ? "notice" : "said";
    this.on.line(window, kind, from, plain(request ? (request[2] ?? "") : text));
  }

  /** Any other answer is shown where the server talks; errors as such. */
  private other(from: string, command: string, params: string[]): void {
    const silent = ["333", "329", "PONG", "CAP"];
    if (!silent.includes(command)) {
      const words = /^\d+$/.test(command) ? params.slice(1) : [command, ...params];
      this.on.line("", /^[45]/.test(command) && command !== "422" ? "bad" : "info", from, plain(words.join(" ")));
    }
  }
}
