import { byId, make, say } from "../dom.ts";
import { hue } from "../hue.ts";
import type { Presence } from "./message.ts";

const standing = ["lobby", "comets", "sockets"];

/** The rooms and the people beside the room one is in. */
export class Sidebar {
  private readonly rooms = byId("rooms", HTMLUListElement);
  private readonly people = byId("people", HTMLUListElement);

  constructor(private readonly me: string, private readonly go: (room: string) => void) {}

  /** Shows who is where, seen from this room. */
  show(room: string, all: readonly Presence[]): void {
    const names = new Set([...standing, room, ...all.map((p) => p.room)]);
    this.rooms.replaceChildren(...[...names].sort().map((name) => this.entry(name, name === room, all)));

    const here = all.filter((p) => p.room === room).sort((a, b) => a.nick.localeCompare(b.nick));
    say(byId("people-count", HTMLElement), String(here.length));
    this.people.replaceChildren(
      ...here.map((p) => make("li", { "data-hue": hue(p.id) }, p.id === this.me ? `${p.nick} (you)` : p.nick)),
    );
  }

  private entry(name: string, current: boolean, all: readonly Presence[]): HTMLLIElement {
    const inside = all.filter((p) => p.room === name).length;
    const button = make("button", { type: "button" }, `#${name}`);
    if (inside) {
      button.append(make("span", { class: "count", title: `${inside} here` }, String(inside)));
    }
    if (current) {
      button.setAttribute("aria-current", "true");
    }
    button.addEventListener("click", () => this.go(name));
    return make("li", {}, button);
  }
}
