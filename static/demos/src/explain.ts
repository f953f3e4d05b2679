import { make } from "./dom.ts";
import type { TCPSocketError } from "./tcpsocket.ts";
import { address, type Target } from "./targets.ts";

/** One sentence for each cause of the table in cause/cause.go that a page can meet. */
const sentences: Record<string, string> = {
  closed: "Both sides are done.",
  denied: "The proxy does not let this page reach that server.",
  "bad-target": "The host name or the port is not well formed.",
  "name-not-found": "The host name does not resolve.",
  refused: "Nobody listens on that port.",
  unreachable: "There is no route to that host.",
  "timed-out": "The server did not answer in time.",
  reset: "The connection was cut.",
  idle: "Nothing happened for too long, so the proxy closed the socket.",
  limit: "A limit of the proxy was reached.",
  "tls-failed": "The TLS handshake with the server failed.",
  "not-authenticated": "The proxy wants to know who asks.",
  "going-away": "The proxy is being stopped.",
  "session-lost": "The proxy no longer knows this session, perhaps because it was restarted.",
  "protocol-error": "One side sent something it must not send.",
  displaced: "Another page took this session over.",
  "no-transport": "None of the transports reached the proxy.",
  internal: "A fault in the proxy itself.",
};

/** Tells in a sentence why a socket ended. */
export function sentence(error: TCPSocketError): string {
  return sentences[error.code] ?? error.message;
}

/**
 * Fills box with why the socket to target ended and what can be done about it: for
 * "denied" the command that allows the server, for "no-transport" what each
 * transport ran into.
 */
export function explain(box: HTMLElement, error: TCPSocketError, target: Target): void {
  box.replaceChildren(
    make("p", {}, make("strong", {}, `${error.code}: `), sentence(error)),
  );
  if (error.code === "denied") {
    box.append(
      make("p", {}, `Whoever runs the proxy decides which servers pages may open. To allow ${address(target)}, start it with`),
      make("pre", { class: "code", tabindex: "0" }, make("code", {}, `encke demo --allow ${address(target)}`)),
    );
  }
  if (error.code === "no-transport" && error.attempts?.length) {
    box.append(make("ul", {}, ...error.attempts.map((a) => make("li", {}, `${a.transport}: ${a.reason}`))));
  }
  if (error.retryAfter) {
    box.append(make("p", {}, `Try again in ${error.retryAfter} s.`));
  }
  box.hidden = false;
}
