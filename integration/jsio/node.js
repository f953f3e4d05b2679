// Runs talk in Node: node node.js ORIGIN ARGUMENTS, which are JSON.
// What the client misses there is what a browser has: a window with an address and
// XMLHttpRequest, which sends the origin of its page.
"use strict";
const http = require("node:http");
const path = require("node:path");
const [origin, args] = process.argv.slice(2);

class XMLHttpRequest {
  constructor() {
    this.withCredentials = false;
    this.onload = this.onerror = null;
  }
  open(method, address) {
    this.readyState = this.status = 0;
    this.responseText = "";
    this.method = method;
    this.address = address;
    this.headers = { Origin: origin };
  }
  setRequestHeader(name, value) {
    this.headers[name] = value;
  }
  send(body) {
    const request = http.request(this.address, { method: this.method, headers: this.headers }, (response) => {
      response.setEncoding("utf8");
      response.on("data", (text) => (this.responseText += text));
      response.on("end", () => {
        this.readyState = 4;
        this.status = response.statusCode;
        this.onload();
      });
    });
    request.on("error", (error) => this.onerror(error));
    request.end(body ?? "");
  }
  abort() {}
}

// The script ends when its last request has; the client's timeouts go on.
const { setTimeout } = globalThis;
globalThis.setTimeout = (f, ms, ...args) => {
  const timer = setTimeout(f, ms, ...args);
  if (ms > 1000) timer.unref();
  return timer;
};

globalThis.window = { location: { href: origin + "/" }, XMLHttpRequest };
globalThis.XMLHttpRequest = XMLHttpRequest;
globalThis.document = { body: null };
globalThis.navigator ??= { userAgent: "", vendor: "", platform: "" };
globalThis.jsio = require("jsio");
jsio.path.add(path.dirname(require.resolve("jsio")));
require("./talk.js");
talk(...JSON.parse(args)).then(
  (seen) => process.stdout.write(JSON.stringify(seen) + "\n"),
  (error) => {
    process.stderr.write(error.stack + "\n");
    process.exit(1);
  },
);
