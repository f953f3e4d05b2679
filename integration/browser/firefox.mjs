// The stock Firefox through puppeteer-core and WebDriver BiDi. (playwright-core's
// Firefox needs a patched build.)
import puppeteer from "puppeteer-core";

// What a fresh profile would do besides loading our pages.
const extraPrefsFirefox = {
  "app.normandy.enabled": false,
  "app.update.enabled": false,
  "browser.safebrowsing.malware.enabled": false,
  "browser.safebrowsing.phishing.enabled": false,
  "datareporting.policy.dataSubmissionEnabled": false,
  "extensions.getAddons.cache.enabled": false,
  "network.captive-portal-service.enabled": false,
  "network.connectivity-service.enabled": false,
  "network.http.http3.enable": false,
  "network.prefetch-next": false,
  "toolkit.telemetry.enabled": false,
};

// Firefox reports failed requests and what a page's policy blocked in the same way as
// exceptions. Only the text of an exception begins with its name.
const thrown = /^(\w*Error|\w*Exception|uncaught exception)\b/;

export default async function launch(executablePath) {
  const browser = await puppeteer.launch({
    browser: "firefox",
    executablePath,
    headless: true,
    extraPrefsFirefox,
    protocolTimeout: 0, // an evaluation lasts as long as its scenario; the Go side guards
    timeout: 120_000,
  });
  return {
    version: () => browser.version(),
    close: () => browser.close(),
    async open(report) {
      const context = await browser.createBrowserContext();
      const page = await context.newPage();
      page.setDefaultNavigationTimeout(60_000);
      page.on("console", (message) => report(message.type(), message.text()));
      page.on("pageerror", (error) => report(thrown.test(error?.message) ? "pageerror" : "error", String(error?.stack || error?.message || error)));
      return {
        goto: (url) => page.goto(url, { waitUntil: "load" }).then(() => null),
        evaluate: (source) => page.evaluate(source),
        screenshot: () => page.screenshot({ encoding: "base64" }),
        close: () => context.close(),
      };
    },
  };
}
