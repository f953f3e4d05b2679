// The chat page: the form to join, and what is on the page while one is in.

import { byId, say } from "../dom.ts";
import { explain } from "../explain.ts";
import { Pill } from "../pill.ts";
import { TCPSocketError, type TCPSocket } from "../tcpsocket.ts";
import { targets } from "../targets.ts";
import { Chat } from "./chat.ts";
import { Cuts } from "./cuts.ts";
import { Log } from "./log.ts";
import { isRoom } from "./message.ts";
import { Sidebar } from "./sidebar.ts";

const first = ["Quiet", "Bright", "Distant", "Icy", "Early", "Dusty", "Green", "Swift"];
const second = ["Halley", "Encke", "Tempel", "Wild", "Borrelly", "Hartley", "Biela", "Faye"];
const one = (of: string[]): string => of[Math.floor(Math.random() * of.length)] ?? "";

const nick = byId("nick", HTMLInputElement);
const room = byId("first-room", HTMLInputElement);
const problem = byId("join-error", HTMLElement);

/** The room can be named in the address, so that one can send the address around. */
function roomFromAddress(): string | null {
  const name = new URLSearchParams(location.hash.slice(1)).get("room");
  return name && isRoom(name) ? name : null;
}

function open(inside: boolean): void {
  byId("join", HTMLElement).hidden = inside;
  byId("talk", HTMLElement).hidden = !inside;
  document.body.classList.toggle("inside", inside);
}

async function join(): Promise<void> {
  const { mqtt: broker } = await targets();
  const pill = new Pill();
  let last: TCPSocketError | null = null;

  const chat: Chat = new Chat(broker, nick.value.trim(), room.value, {
    socket(socket: TCPSocket) {
      last = null;
      pill.follow(socket);
      cuts.follow(socket);
      socket.closed.catch((error: unknown) => {
        last = error instanceof TCPSocketError ? error : null;
      });
    },
    joined() {
      say(byId("room-title", HTMLElement), `#${chat.room}`);
      history.replaceState(null, "", `#room=${chat.room}`);
    },
    message(message) {
      log.add(message, false);
      facts();
    },
    confirmed: (message) => log.confirm(message),
    people: (all) => sidebar.show(chat.room, all),
    lost() {
      if (last) {
        log.note(`The broker is out of reach (${last.code}). Trying again …`, "bad");
        if (last.code === "denied") {
          explain(problem, last, broker);
        }
      }
    },
    failed: (error) => log.note(`MQTT: ${error.message}`, "bad"),
    ended: () => location.reload(),
  });
  const log = new Log(chat.id);
  const sidebar = new Sidebar(chat.id, move);
  const cuts = new Cuts(log, () => chat.tally, facts);

  function move(to: string): void {
    if (to !== chat.room) {
      log.clear();
      chat.move(to);
      byId("say", HTMLInputElement).focus();
    }
  }

  function facts(): void {
    const { received, lost, doubled } = chat.tally;
    say(byId("fact-transport", HTMLElement), chat.socket?.transport ?? "none");
    say(byId("fact-sent", HTMLElement), String(chat.sent));
    say(byId("fact-received", HTMLElement), String(received));
    say(byId("fact-cuts", HTMLElement), String(cuts.count));
    for (const [id, value] of [["fact-lost", lost], ["fact-doubled", doubled]] as const) {
      const fact = byId(id, HTMLElement);
      say(fact, String(value));
      fact.className = value === 0 ? "good" : "bad";
    }
  }

  function speak(text: string): void {
    log.add(chat.say(text), true);
    facts();
  }

  byId("say-form", HTMLFormElement).addEventListener("submit", (event) => {
    event.preventDefault();
    const input = byId("say", HTMLInputElement);
    if (input.value.trim()) {
      speak(input.value);
    }
    input.value = "";
  });
  byId("room-form", HTMLFormElement).addEventListener("submit", (event) => {
    event.preventDefault();
    const input = byId("room", HTMLInputElement);
    move(input.value);
    input.value = "";
  });
  byId("cut", HTMLButtonElement).addEventListener("click", () => cuts.cut());
  byId("burst", HTMLButtonElement).addEventListener("click", () => {
    for (let i = 1; i <= 10; i++) {
      speak(`${i} of 10`);
      if (i === 5) {
        cuts.cut();
      }
    }
  });
  byId("leave", HTMLButtonElement).addEventListener("click", () => void chat.leave());

  chat.start();
  open(true);
  facts();
  byId("say", HTMLInputElement).focus();
}

nick.value = `${one(first)} ${one(second)}`;
room.value = roomFromAddress() ?? "lobby";
byId("join-form", HTMLFormElement).addEventListener("submit", (event) => {
  event.preventDefault();
  problem.hidden = true;
  join().catch((error: Error) => {
    open(false);
    say(problem, error.message);
    problem.hidden = false;
  });
});
