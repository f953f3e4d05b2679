// ioredis over the aliased net.
import Redis from "ioredis";
import { Inbox, publish } from "./client.js";

let redis;
const failures = new Inbox();

publish({
  async connect({ host, port, password }) {
    redis = new Redis({ host, port, password, lazyConnect: true, retryStrategy: null });
    redis.on("error", (error) => failures.put(String(error)));
    await redis.connect();
    return { transport: redis.stream.transport };
  },
  /** Stores bytes under key and reads them back. */
  async setGet(key, bytes) {
    await redis.set(key, Buffer.from(bytes));
    return [...(await redis.getBuffer(key))];
  },
  /** Many commands at once; resolves to the sum Redis counted. */
  async increments(key, n) {
    const answers = await Promise.all(Array.from({ length: n }, () => redis.incr(key)));
    return answers.at(-1);
  },
  failure: () => failures.take(),
  quit: () => redis.quit(),
});
