import { byId, make, say } from "../dom.ts";
import { hue } from "../hue.ts";
import { append } from "../scroll.ts";
import type { Message } from "./message.ts";

/** Most entries that stay on the page. */
const most = 500;

const key = (m: Message): string => `${m.author}/${m.n}`;
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

/** The list of what was said in one room. It shows a message once, however often it comes. */
export class Log {
  private readonly list = byId("log", HTMLOListElement);
  private readonly shown = new Map<string, HTMLLIElement>();

  constructor(private readonly me: string) {}

  clear(): void {
    this.list.replaceChildren();
    this.shown.clear();
  }

  /** Shows a message; one of ours that is only on its way is marked so. */
  add(message: Message, onItsWay: boolean): void {
    const known = this.shown.get(key(message));
    if (known) {
      known.classList.toggle("sending", onItsWay);
      return;
    }
    const mine = message.author === this.me;
    const at = new Date(message.at);
    const entry = make(
      "li",
      { class: `bubble ${mine ? "mine" : "theirs"}`, "data-at": String(message.at), "data-hue": hue(message.author) },
      make("span", { class: "who" }, mine ? "you" : message.nick),
      make("span", { class: "what" }, message.text),
      make("time", { datetime: at.toISOString() }, clock.format(at)),
    );
    entry.classList.toggle("sending", onItsWay);
    this.shown.set(key(message), entry);
    append(this.list, most, () => this.list.insertBefore(entry, this.after(message.at)));
  }

  confirm(message: Message): void {
    this.shown.get(key(message))?.classList.remove("sending");
  }

  /** Adds a line of the page's own. */
  note(text: string, kind = "info"): HTMLElement {
    const entry = make("li", { class: `event ${kind}`, "data-at": String(Date.now()) }, text);
    append(this.list, most, () => this.list.append(entry));
    return entry;
  }

  /** Changes a line that note added. */
  amend(note: HTMLElement, text: string, kind: string): void {
    append(this.list, most, () => {
      note.className = `event ${kind}`;
      say(note, text);
    });
  }

  /** The entry a message of that time goes before: kept ones come in no order. */
  private after(at: number): Element | null {
    let next: Element | null = null;
    for (let e = this.list.lastElementChild; e && Number((e as HTMLElement).dataset["at"]) > at; e = e.previousElementSibling) {
      next = e;
    }
    return next;
  }
}
