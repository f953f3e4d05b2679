// The IRC page: a form, then a session over a socket with the classic callbacks.

import { byId, say } from "../dom.ts";
import { explain, sentence } from "../explain.ts";
import { Pill } from "../pill.ts";
import { TCPSocket, type TCPSocketError } from "../tcpsocket.ts";
import type { Target } from "../targets.ts";
import { command } from "./commands.ts";
import { isChannel, Lines } from "./message.ts";
import { Session } from "./session.ts";
import { Windows } from "./windows.ts";

const fields = ["host", "port", "nick", "channel"] as const;
const field = (name: (typeof fields)[number]) => byId(name, HTMLInputElement);
const storageKey = "encke-demo-irc";

let windows: Windows | null = null;
let session: Session | null = null;
let socket: TCPSocket | null = null;

/** Fills the form with what the address says, or with what was typed last time. */
function fillIn(): void {
  field("nick").value = `guest${Math.floor(1000 + Math.random() * 9000)}`;
  const address = new URLSearchParams(location.hash.slice(1));
  let stored: URLSearchParams;
  try {
    stored = new URLSearchParams(localStorage.getItem(storageKey) ?? "");
  } catch {
    stored = new URLSearchParams(); // a browser that keeps storage from pages
  }
  for (const name of fields) {
    const value = address.get(name) ?? stored.get(name);
    if (value) {
      field(name).value = value;
    }
  }
}

function remember(): void {
  try {
    localStorage.setItem(storageKey, new URLSearchParams(fields.map((f) => [f, field(f).value])).toString());
  } catch {
    // then it is typed again next time
  }
}

function connect(target: Target, nick: string, channel: string): void {
  const opened = new TCPSocket(target.host, target.port);
  const lines = new Lines();
  let welcome = false;

  const mine = new Session(nick, (line) => opened.readyState < TCPSocket.CLOSING && opened.send(`${line}\r\n`), {
    line: (window, kind, who, text) => shown.line(window, kind, who, text),
    changed: () => shown.show(),
    opened: (window) => shown.open(window),
    closed: (window) => shown.close(window),
    registered() {
      welcome = true;
      if (channel) {
        mine.join(isChannel(channel) ? channel : `#${channel}`);
      }
    },
  });
  const shown = new Windows(mine, target.host);
  [session, windows, socket] = [mine, shown, opened];
  pill.follow(opened);
  inside(true);
  shown.line("", "info", "", `Opening a socket to ${target.host}, port ${target.port} …`);

  opened.onopen = () => mine.register();
  opened.onread = (text: string) => {
    for (const line of lines.take(text)) {
      mine.receive(line);
    }
  };
  opened.onclose = (cause: TCPSocketError) => {
    session = null;
    if (welcome) {
      shown.line(shown.current, "bad", "", `The connection is over (${cause.code}). ${sentence(cause)}`);
      if (cause.code !== "closed") {
        explain(byId("explain", HTMLElement), cause, target);
      }
    } else {
      inside(false);
      explain(byId("login-error", HTMLElement), cause, target);
    }
    say(byId("quit", HTMLButtonElement), "Back");
    byId("cut", HTMLButtonElement).disabled = true;
  };
}

/** Shows the windows, or the form. */
function inside(yes: boolean): void {
  byId("login", HTMLElement).hidden = yes;
  byId("talk", HTMLElement).hidden = !yes;
  document.body.classList.toggle("inside", yes);
  byId("login-error", HTMLElement).hidden = true;
  byId("explain", HTMLElement).hidden = true;
  if (yes) {
    say(byId("quit", HTMLButtonElement), "Quit");
    byId("cut", HTMLButtonElement).disabled = false;
    byId("say", HTMLInputElement).focus();
  } else {
    byId("log", HTMLElement).replaceChildren();
    field("host").focus();
  }
}

const pill = new Pill();
fillIn();
byId("login-form", HTMLFormElement).addEventListener("submit", (event) => {
  event.preventDefault();
  remember();
  connect({ host: field("host").value.trim(), port: Number(field("port").value) }, field("nick").value.trim(), field("channel").value.trim());
});
byId("say-form", HTMLFormElement).addEventListener("submit", (event) => {
  event.preventDefault();
  const input = byId("say", HTMLInputElement);
  if (!input.value || !windows) {
    return;
  }
  const answer = session ? command(session, windows.current, input.value) : "There is no connection any more.";
  for (const line of answer ? answer.split("\n") : []) {
    windows.line(windows.current, "notice", "", line);
  }
  input.value = "";
});
byId("cut", HTMLButtonElement).addEventListener("click", () => {
  windows?.line(windows.current, "notice", "", "You cut the link. The server notices nothing.");
  socket?.cutLink();
});
byId("quit", HTMLButtonElement).addEventListener("click", () => {
  if (session) {
    session.quit("bye");
  } else {
    inside(false);
  }
});
