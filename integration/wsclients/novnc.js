// noVNC.
import RFB from "@novnc/novnc";
import { Inbox } from "./page.js";

let rfb;
const events = new Inbox();

globalThis.client = {
  /** Resolves to the name of the desktop. */
  connect(url, wsProtocols) {
    const screen = document.createElement("div");
    screen.style.cssText = "width:200px;height:200px";
    document.body.append(screen);
    rfb = new RFB(screen, url, { wsProtocols });
    rfb.addEventListener("desktopname", ({ detail }) => events.put({ name: detail.name }));
    rfb.addEventListener("disconnect", ({ detail }) => events.put({ end: detail.clean ? "clean" : "broken" }));
    return events.until((all) => all.find(({ name, end }) => name || end));
  },
  /** Waits until the pixel at x, y has a colour. */
  async pixel(x, y, want) {
    const canvas = document.querySelector("canvas");
    for (;;) {
      const got = [...canvas.getContext("2d").getImageData(x, y, 1, 1).data].slice(0, 3).join();
      if (got === want) return got;
      await new Promise(requestAnimationFrame);
    }
  },
  key: (keysym) => rfb.sendKey(keysym, null),
  paste: (text) => rfb.clipboardPasteFrom(text),
  disconnect() {
    rfb.disconnect();
    return events.until((all) => all.find(({ end }) => end)?.end);
  },
};
