import { fold } from "./message.ts";

/** The marks a server puts before a nick, the highest first. */
const marks = "~&@%+";

/** Who is in a channel. */
export class Channel {
  topic = "";
  private readonly members = new Map<string, { nick: string; mark: string }>();
  private filling = false;

  constructor(readonly name: string) {}

  /** Takes the words of a NAMES answer; the first of several lines starts anew. */
  names(words: string[]): void {
    if (!this.filling) {
      this.members.clear();
      this.filling = true;
    }
    for (const word of words) {
      const nick = word.replace(/^[~&@%+]+/, "");
      if (nick) {
        this.members.set(fold(nick), { nick, mark: word.slice(0, 1) === nick.slice(0, 1) ? "" : word.slice(0, 1) });
      }
    }
  }

  namesEnd(): void {
    this.filling = false;
  }

  add(nick: string): void {
    this.members.set(fold(nick), { nick, mark: "" });
  }

  remove(nick: string): boolean {
    return this.members.delete(fold(nick));
  }

  has(nick: string): boolean {
    return this.members.has(fold(nick));
  }

  rename(from: string, to: string): boolean {
    const member = this.members.get(fold(from));
    if (!member) {
      return false;
    }
    this.members.delete(fold(from));
    this.members.set(fold(to), { nick: to, mark: member.mark });
    return true;
  }

  /** The members with their marks, those with rank first, then by name. */
  list(): string[] {
    const rank = (mark: string) => (mark ? marks.indexOf(mark) : marks.length);
    return [...this.members.values()]
      .sort((a, b) => rank(a.mark) - rank(b.mark) || a.nick.localeCompare(b.nick))
      .map((m) => m.mark + m.nick);
  }
}
