import { byId, say } from "./dom.ts";
import type { TCPSocket } from "./tcpsocket.ts";

/** The small sign that shows how the link of a socket is doing. */
export class Pill {
  private readonly box = byId("link", HTMLElement);
  private readonly text = byId("link-text", HTMLElement);
  private stop = new AbortController();

  /** Follows this socket and no other one any more. */
  follow(socket: TCPSocket): void {
    this.stop.abort();
    this.stop = new AbortController();
    const stopped = this.stop.signal;
    const show = () => this.show(socket.state, words(socket));
    // State and transport change one after the other; look when both have.
    const later = () => queueMicrotask(() => !stopped.aborted && show());
    for (const event of ["statechange", "transportchange", "open"]) {
      socket.addEventListener(event, later, { signal: stopped });
    }
    socket.addEventListener("close", () => this.show("closed", "closed"), { signal: stopped });
    show();
  }

  /** Shows a state that is not a socket's. */
  show(state: string, text: string): void {
    this.box.dataset["state"] = state;
    say(this.text, text);
  }
}

function words(socket: TCPSocket): string {
  switch (socket.state) {
    case "online":
      return socket.transport ?? "online";
    case "idle":
      return "no link";
    default:
      return socket.state;
  }
}
