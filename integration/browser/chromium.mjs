// Chromium through playwright-core.
import { chromium } from "playwright-core";

const args = [
  "--no-sandbox", // the tests may run as root
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export default async function launch(executablePath) {
  const browser = await chromium.launch({ executablePath, args });
  return {
    version: async () => `chromium ${browser.version()}`,
    close: () => browser.close(),
    async open(report) {
      const context = await browser.newContext();
      context.setDefaultNavigationTimeout(60_000);
      const page = await context.newPage();
      page.on("console", (message) => report(message.type(), message.text()));
      page.on("pageerror", (error) => report("pageerror", String(error?.stack || error?.message || error)));
      page.on("crash", () => report("pageerror", "the page crashed"));
      return {
        goto: (url) => page.goto(url, { waitUntil: "load" }).then(() => null),
        evaluate: (source) => page.evaluate(source),
        screenshot: async () => (await page.screenshot()).toString("base64"),
        close: () => context.close(),
      };
    },
  };
}
