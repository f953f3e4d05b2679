// The console page: which socket there is, and what the buttons do to it.

import { byId, say } from "../dom.ts";
import { explain, sentence } from "../explain.ts";
import { Pill } from "../pill.ts";
import type { TCPSocketError } from "../tcpsocket.ts";
import { address, targets, type Target, type Targets } from "../targets.ts";
import { Connection } from "./connection.ts";
import { fromHex } from "./hex.ts";
import { Live } from "./live.ts";
import { Streaming } from "./streaming.ts";
import { Transcript } from "./transcript.ts";

const host = byId("host", HTMLInputElement);
const port = byId("port", HTMLInputElement);
const preset = byId("preset", HTMLSelectElement);
const transport = byId("transport", HTMLSelectElement);
const button = (id: string) => byId(id, HTMLButtonElement);

const pill = new Pill();
const transcript = new Transcript();
const live = new Live();
const streaming = new Streaming();

let known: Targets | null = null;
let current: Connection | null = null;

/** Enables what can be done now: with a socket, with one that still takes bytes. */
function enable(open: boolean, writable: boolean): void {
  for (const id of ["close", "reset", "cut"]) {
    button(id).disabled = !open;
  }
  for (const id of ["half-close", "send-button"]) {
    button(id).disabled = !writable;
  }
  byId("send", HTMLInputElement).disabled = !writable;
  say(button("connect"), open ? "Connect anew" : "Connect");
}

/** Opens a socket; done when it is open. Rejects with the cause if it does not open. */
async function connect(target: Target): Promise<Connection> {
  current?.socket.reset();
  byId("explain", HTMLElement).hidden = true;
  transcript.start();
  transcript.note(`Opening ${address(target)}${transport.value ? ` over ${transport.value}` : ""} …`);

  let server = "";
  const connection: Connection = new Connection(target, transport.value, {
    opened(remote) {
      server = remote;
      transcript.note(`Open: ${remote}.`);
      enable(true, true);
      byId("send", HTMLInputElement).focus({ preventScroll: true });
    },
    received(bytes) {
      if (streaming.running) {
        streaming.back(bytes);
      } else {
        transcript.add("received", bytes);
      }
    },
    ended() {
      if (connection === current) {
        transcript.note("The server has sent its last byte (EOF).");
      }
    },
    over(error) {
      if (connection !== current) {
        return; // replaced by another socket
      }
      over(error, target, server !== "");
    },
    link: (event) => live.take(event),
  });
  current = connection;
  pill.follow(connection.socket);
  live.follow(connection.socket);
  enable(true, false);
  await connection.socket.opened;
  return connection;
}

function over(error: TCPSocketError, target: Target, wasOpen: boolean): void {
  current = null;
  streaming.abandon();
  enable(false, false);
  transcript.note(`Over: ${error.code}. ${sentence(error)}`, error.code === "closed" ? "info" : "bad");
  if (!wasOpen) {
    explain(byId("explain", HTMLElement), error, target);
  }
}

/** Fills in where the chosen server is. */
function choose(): void {
  const target = preset.value === "counter" ? known?.counter : preset.value === "echo" ? known?.echo : null;
  if (target) {
    host.value = target.host;
    port.value = String(target.port);
  }
}

async function startStream(): Promise<void> {
  if (!known) {
    return;
  }
  preset.value = "echo";
  choose();
  const connection = await connect(known.echo);
  transcript.note("The checked stream runs; its bytes are not shown here.");
  await streaming.run((bytes) => connection.write(bytes));
}

function send(): void {
  const input = byId("send", HTMLInputElement);
  const encoding = byId("encoding", HTMLSelectElement).value;
  const ends: Record<string, string> = { lf: "\n", crlf: "\r\n", none: "" };
  const problem = byId("send-error", HTMLElement);
  say(problem, "");
  try {
    const bytes = encoding === "hex" ? fromHex(input.value) : new TextEncoder().encode(input.value + ends[encoding]);
    if (bytes.length && current) {
      transcript.add("sent", bytes);
      current.write(bytes).catch(() => undefined); // "close" tells why
      input.value = "";
    }
  } catch (error) {
    say(problem, (error as Error).message);
  }
}

byId("target-form", HTMLFormElement).addEventListener("submit", (event) => {
  event.preventDefault();
  connect({ host: host.value.trim(), port: Number(port.value) }).catch(() => undefined); // over() told why
});
byId("send-form", HTMLFormElement).addEventListener("submit", (event) => {
  event.preventDefault();
  send();
});
preset.addEventListener("change", choose);
for (const field of [host, port]) {
  field.addEventListener("input", () => (preset.value = "other"));
}
for (const radio of document.querySelectorAll<HTMLInputElement>("input[name=view]")) {
  radio.addEventListener("change", () => transcript.showAs(radio.value === "hex"));
}
button("clear").addEventListener("click", () => transcript.clear());
button("half-close").addEventListener("click", () => {
  enable(true, false);
  transcript.note("You sent EOF; receiving goes on.");
  current?.halfClose().catch(() => undefined);
});
button("close").addEventListener("click", () => current?.socket.close().catch(() => undefined));
button("reset").addEventListener("click", () => current?.socket.reset());
button("cut").addEventListener("click", () => {
  streaming.cut();
  current?.socket.cutLink();
});
button("stream").addEventListener("click", () => {
  if (streaming.running) {
    streaming.stop();
  } else {
    startStream().catch(() => undefined); // over() told why
  }
});

targets().then(
  (found) => {
    known = found;
    choose();
  },
  (error: Error) => transcript.note(error.message, "bad"),
);
