// mqtt, whose hook is a function that returns a stream.
import mqtt from "mqtt";
import { Inbox, publish } from "./client.js";
import { connect } from "./net.js";

let client;
const messages = new Inbox();

publish({
  connect: ({ host, port, username, password, clientId }) =>
    new Promise((resolve, reject) => {
      client = new mqtt.MqttClient(() => connect(port, host), {
        clientId, username, password, protocolVersion: 4, clean: true, reconnectPeriod: 0, keepalive: 60,
        timerVariant: "native", // the other one is a worker from a blob, which the page's policy forbids
      });
      client.on("connect", () => resolve({ transport: client.stream.transport }));
      client.on("error", (error) => {
        reject(error);
        messages.fail(error);
      });
      client.on("message", (topic, payload) => messages.put({ topic, bytes: [...payload] }));
    }),
  subscribe: (topic) => client.subscribeAsync(topic, { qos: 1 }).then(() => undefined),
  publish: (topic, bytes) => client.publishAsync(topic, Buffer.from(bytes), { qos: 1 }).then(() => undefined),
  heard: () => messages.take(),
  quit: () => client.endAsync(),
});
