// Drives one browser for the Go tests. Started as `node driver.mjs chromium EXECUTABLE`
// or `node driver.mjs firefox EXECUTABLE`.
//
// Commands come as JSON lines on stdin, {id, op, ...}; each is answered on stdout by
// {id, value} or {id, error}, in any order. What a page writes to its console goes out
// unasked as {page, kind, text}. The browser ends when stdin ends, so it never outlives
// the test process, however that one dies.
//
//   open                        a page in a fresh context (own storage and connections): its number
//   goto       page, url        navigate, wait for the load event
//   eval       page, source     source is an expression; its value, awaited, as JSON
//   screenshot page             PNG in base64
//   close      page             closes the page and its context
//   quit                        closes the browser
import { createInterface } from "node:readline";
import chromium from "./chromium.mjs";
import firefox from "./firefox.mjs";

const engines = { chromium, firefox };
const [kind, executable] = process.argv.slice(2);

const browser = await engines[kind](executable);
const pages = new Map(); // number -> {goto, evaluate, screenshot, close}
let lastPage = 0;

const put = (message) => process.stdout.write(JSON.stringify(message) + "\n");

const ops = {
  async open() {
    const number = ++lastPage;
    pages.set(number, await browser.open((kind, text) => put({ page: number, kind, text })));
    return number;
  },
  goto: (page, { url }) => page.goto(url),
  eval: (page, { source }) => page.evaluate(source),
  screenshot: (page) => page.screenshot(),
  async close(page, { page: number }) {
    pages.delete(number);
    await page.close();
  },
  quit: () => browser.close(),
};

async function serve(command) {
  try {
    const value = await ops[command.op](pages.get(command.page), command);
    put({ id: command.id, value: value ?? null });
  } catch (error) {
    put({ id: command.id, error: String(error?.stack || error?.message || error) });
  }
  if (command.op === "quit") process.exit(0);
}

put({ id: 0, value: await browser.version() });
createInterface({ input: process.stdin })
  .on("line", (line) => serve(JSON.parse(line)))
  .on("close", () => browser.close().finally(() => process.exit(0)));
