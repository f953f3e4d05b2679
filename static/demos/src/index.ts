// The first page: one socket to the echo server, and how long a line takes there
// and back over whatever transport carries it.

import { byId, say } from "./dom.ts";
import { sentence } from "./explain.ts";
import { TCPSocket, type TCPSocketError } from "./tcpsocket.ts";
import { address, targets, type Target } from "./targets.ts";

/** Milliseconds between two echoes. */
const every = 3000;

const status = byId("status", HTMLElement);
const statusText = byId("status-text", HTMLElement);

function show(state: string, text: string): void {
  status.dataset["state"] = state;
  say(statusText, text);
}

function ping(target: Target): void {
  const socket = new TCPSocket(target.host, target.port);
  let sent = 0;
  let timer = 0;
  const send = () => {
    sent = performance.now();
    socket.send("\n");
  };
  socket.onopen = send;
  socket.onread = () => {
    const took = performance.now() - sent;
    show("online", `A TCP socket to ${address(target)} is open, carried by ${socket.transport}. One echo takes ${took.toFixed(1)} ms.`);
    timer = window.setTimeout(send, every);
  };
  socket.onclose = (cause: TCPSocketError) => {
    clearTimeout(timer);
    show("closed", `The socket ended (${cause.code}). ${sentence(cause)} Reload the page to try again.`);
  };
  socket.addEventListener("statechange", () => {
    if (socket.state === "reconnecting") {
      show("reconnecting", "The link was cut; the session is looking for the next one …");
    }
  });
}

/** Puts this proxy and its echo server into the ten lines. */
function fillIn(target: Target): void {
  say(byId("code-src", HTMLElement), new URL("../TCPSocket.js", location.href).href);
  say(byId("code-host", HTMLElement), target.host);
  say(byId("code-port", HTMLElement), String(target.port));
}

/** Copies the ten lines; where the browser keeps the clipboard to itself, selects them. */
async function copy(): Promise<void> {
  const code = byId("code", HTMLElement);
  const button = byId("copy", HTMLButtonElement);
  try {
    await navigator.clipboard.writeText(code.textContent ?? "");
    say(button, "Copied");
  } catch {
    getSelection()?.selectAllChildren(code);
    say(button, "Selected");
  }
  setTimeout(() => say(button, "Copy"), 2000);
}

byId("copy", HTMLButtonElement).addEventListener("click", () => void copy());
targets().then(
  ({ echo }) => {
    fillIn(echo);
    ping(echo);
  },
  (error: Error) => show("closed", error.message),
);
