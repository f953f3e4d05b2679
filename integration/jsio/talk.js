// What a page and a Node script have in common: one client of js.io that talks to an echo
// server through a CSP session. It is loaded as a plain script, behind jsio.js.
"use strict";

// talk connects to target, HOST:PORT, over the session at url; without one the operator has
// named it. It sends each message when the
// one before has come back, and then quits, or closes; it resolves to what it saw.
globalThis.talk = function talk(url, target, encoding, messages, closes) {
  jsio("import net.csp.client as csp");
  return new Promise((resolve, reject) => {
    const session = new csp.CometSession();
    const seen = { answer: "", echoes: [], end: "" };
    let waiting = messages.slice();
    let got = "";
    const next = () => {
      got = "";
      if (waiting.length > 0) session.write(waiting[0]);
      else if (closes) close();
      else session.write("quit");
    };
    // While a request is under way, close would leave the session to its timeout.
    const close = () => (session._packetsInFlight ? setTimeout(close, 20) : session.close());
    session.onconnect = () => {
      if (target) return session.write(target + "\n");
      seen.answer = "none";
      next();
    };
    session.onread = (data) => {
      got += data;
      if (seen.answer === "") {
        seen.answer = got;
        if (got !== "1") return;
        next();
      } else if (got === waiting[0]) {
        seen.echoes.push(got);
        waiting.shift();
        next();
      }
    };
    session.ondisconnect = (error) => {
      seen.end = String(error);
      resolve(seen);
    };
    session.connect(url, { encoding });
    setTimeout(() => reject(new Error("still waiting; seen " + JSON.stringify(seen) + " and " + JSON.stringify(got.slice(0, 100)))), 45000);
  });
};
