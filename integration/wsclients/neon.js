// The serverless driver of Neon.
import { Client, neonConfig } from "@neondatabase/serverless";

globalThis.client = {
  async query(proxy, host, port, text) {
    Object.assign(neonConfig, { wsProxy: proxy, useSecureWebSocket: false, pipelineConnect: false, pipelineTLS: false, disableWarningInBrowsers: true });
    const client = new Client({ host, port, user: "ann", password: "secret", database: "db" });
    await client.connect();
    const result = await client.query(text);
    await client.end();
    return result.rows;
  },
  fail: (proxy, host, port) => {
    Object.assign(neonConfig, { wsProxy: proxy, useSecureWebSocket: false, pipelineConnect: false, disableWarningInBrowsers: true });
    const client = new Client({ host, port, user: "ann", database: "db" });
    client.on("error", () => {});
    return client.connect().then(() => "connected", (error) => `failed: ${error.message ?? error.type}`);
  },
};
