// libcurl.js, which speaks Wisp.
import { libcurl } from "libcurl.js";

globalThis.client = {
  async load(wasm, wisp) {
    await libcurl.load_wasm(wasm);
    libcurl.set_websocket(wisp);
    return libcurl.version.lib;
  },
  async fetch(url, body) {
    const response = await libcurl.fetch(url, body === undefined ? {} : { method: "POST", body });
    return { status: response.status, text: await response.text() };
  },
  /** Several at once; resolves to their lengths. */
  fetchAll: (urls) => Promise.all(urls.map(async (url) => (await (await libcurl.fetch(url)).arrayBuffer()).byteLength)),
  fail: (url) => libcurl.fetch(url).then((response) => `status ${response.status}`, (error) => String(error)),
};
