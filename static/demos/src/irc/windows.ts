import { byId, make, say } from "../dom.ts";
import { hue } from "../hue.ts";
import { append } from "../scroll.ts";
import { fold, isChannel } from "./message.ts";
import type { Kind, Session } from "./session.ts";

/** Most lines a window keeps. */
const most = 500;

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

interface Window {
  name: string; // a channel, a nick, or "" for the server
  lines: HTMLLIElement[];
  unread: number;
}

/** The windows of the client: one for the server, one for each channel and person. */
export class Windows {
  current = "";
  private readonly all = new Map<string, Window>();
  private readonly log = byId("log", HTMLOListElement);

  constructor(private readonly session: Session, private readonly server: string) {
    this.open("");
  }

  open(name: string): void {
    if (!this.all.has(fold(name))) {
      this.all.set(fold(name), { name, lines: [], unread: 0 });
    }
    this.go(name);
  }

  close(name: string): void {
    this.all.delete(fold(name));
    this.go(fold(this.current) === fold(name) ? "" : this.current);
  }

  go(name: string): void {
    const window = this.all.get(fold(name));
    if (!window) {
      return;
    }
    this.current = window.name;
    window.unread = 0;
    this.log.replaceChildren(...window.lines);
    this.log.scrollTop = this.log.scrollHeight;
    this.show();
  }

  /** Adds a line; a window for someone who talks to us opens in the background. */
  line(name: string, kind: Kind, who: string, text: string): void {
    let window = this.all.get(fold(name));
    if (!window) {
      window = { name, lines: [], unread: 0 };
      this.all.set(fold(name), window);
    }
    const now = new Date();
    const entry = make(
      "li",
      { class: `irc-line ${kind}` },
      make("time", { datetime: now.toISOString() }, clock.format(now)),
      make("span", { class: "who" }, who),
      make("span", { class: "what" }, text),
    );
    if (kind === "said" || kind === "action") {
      entry.dataset["hue"] = hue(fold(who));
    }
    window.lines.push(entry);
    if (window.lines.length > most) {
      window.lines.shift();
    }
    if (fold(window.name) === fold(this.current)) {
      append(this.log, most, () => this.log.append(entry));
    } else if (kind !== "info") {
      window.unread++;
    }
    this.show();
  }

  /** Shows the list of windows, the title, and who is in the current one. */
  show(): void {
    byId("windows", HTMLUListElement).replaceChildren(...[...this.all.values()].map((w) => this.tab(w)));
    const channel = this.session.channel(this.current);
    const names = channel?.list() ?? (this.current ? [this.current, this.session.nick] : []);
    say(byId("window-title", HTMLElement), this.current || this.server);
    say(byId("topic", HTMLElement), channel?.topic ?? "");
    say(byId("say-nick", HTMLElement), this.session.nick);
    say(byId("names-count", HTMLElement), String(names.length));
    byId("names", HTMLUListElement).replaceChildren(
      ...names.map((n) => make("li", { "data-hue": hue(fold(n.replace(/^[~&@%+]/, ""))) }, n)),
    );
  }

  private tab(window: Window): HTMLLIElement {
    const button = make("button", { type: "button" }, window.name || "server");
    if (window.unread) {
      button.append(make("span", { class: "count unread", title: `${window.unread} unread` }, String(window.unread)));
    }
    if (fold(window.name) === fold(this.current)) {
      button.setAttribute("aria-current", "true");
    }
    button.addEventListener("click", () => this.go(window.name));
    const tab = make("li", {}, button);
    if (window.name && !isChannel(window.name)) {
      const close = make("button", { type: "button", class: "close", "aria-label": `Close the window of ${window.name}` }, "×");
      close.addEventListener("click", () => this.close(window.name));
      tab.append(close);
    }
    return tab;
  }
}
