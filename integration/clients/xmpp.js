// @xmpp/client with its own TCP connection, which its browser build leaves out.
import { client, xml } from "@xmpp/client";
import TCP from "@xmpp/tcp/lib/Connection.js";
import { Inbox, publish } from "./client.js";
import { Socket } from "./net.js";

// The connection to the server is taken for secure, as it is the proxy's matter; else
// the client does not choose PLAIN, the one mechanism of its browser build.
class ProxiedSocket extends Socket {
  secure = true;
  constructor(...options) {
    super(...options);
    this.setEncoding("utf8"); // the client decodes each piece by itself, also half a character
  }
}
class ProxiedTCP extends TCP {}
ProxiedTCP.prototype.Socket = ProxiedSocket;

let xmpp;
const messages = new Inbox();

publish({
  /** Logs in, announces itself and resolves to the full address. */
  async connect({ host, port, domain, username, password }) {
    xmpp = client({ service: `xmpp://${host}:${port}`, domain, username, password, resource: "page" });
    xmpp.transports.unshift(ProxiedTCP);
    xmpp.reconnect.stop();
    xmpp.on("error", (error) => messages.fail(error));
    xmpp.on("stanza", (stanza) => {
      if (stanza.is("message") && stanza.getChild("body")) {
        messages.put({ from: stanza.attrs.from, text: stanza.getChildText("body") });
      }
    });
    const address = await xmpp.start();
    await xmpp.send(xml("presence"));
    return { address: address.toString(), transport: xmpp.socket.transport };
  },
  say: (to, text) => xmpp.send(xml("message", { to, type: "chat" }, xml("body", {}, text))),
  heard: () => messages.take(),
  quit: () => xmpp.stop().then(() => undefined),
});
