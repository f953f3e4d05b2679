import { isChannel } from "./message.ts";
import type { Session } from "./session.ts";

/** What /help shows. */
export const help = [
  "/join #channel        enter a channel",
  "/part [reason]        leave this one",
  "/me does something    say it as an action",
  "/msg nick text        talk to one person",
  "/nick name            change your name",
  "/topic text           set the topic of this channel",
  "/raw line             send a line of IRC as it is",
  "/quit [reason]        leave the server",
];

/**
 * Does what was typed into a window. Returns what to tell the user if nothing
 * could be done, else "".
 */
export function command(session: Session, window: string, typed: string): string {
  if (!typed.startsWith("/") || typed.startsWith("//")) {
    return speak(session, window, typed.replace(/^\/\//, "/"));
  }
  const [, name = "", rest = ""] = /^\/(\S*)\s*(.*)$/.exec(typed) ?? [];
  const [word = "", text = ""] = /^(\S+)\s*(.*)$/.exec(rest)?.slice(1) ?? [];
  switch (name.toLowerCase()) {
    case "join":
    case "j":
      if (!word) {
        return "Which channel? /join #channel";
      }
      session.join(isChannel(word) ? word : `#${word}`);
      return "";
    case "part":
      if (isChannel(word)) {
        session.part(word, text);
      } else if (isChannel(window)) {
        session.part(window, rest);
      } else {
        return "This window is no channel.";
      }
      return "";
    case "me":
      if (!window) {
        return "Nobody listens in this window.";
      }
      session.act(window, rest);
      return "";
    case "msg":
    case "query":
      if (!word || !text) {
        return "To whom, and what? /msg nick text";
      }
      session.say(word, text);
      return "";
    case "nick":
      if (!word) {
        return "Which name? /nick name";
      }
      session.rename(word);
      return "";
    case "topic":
      if (!isChannel(window)) {
        return "This window is no channel.";
      }
      session.raw(rest ? `TOPIC ${window} :${rest}` : `TOPIC ${window}`);
      return "";
    case "raw":
    case "quote":
      session.raw(rest);
      return "";
    case "quit":
      session.quit(rest || "bye");
      return "";
    case "help":
      return help.join("\n");
    default:
      return `/${name} is not known here. /help tells what is.`;
  }
}

function speak(session: Session, window: string, text: string): string {
  if (!window) {
    return "Nobody listens in this window. /join #channel, or /raw to talk to the server.";
  }
  session.say(window, text);
  return "";
}
