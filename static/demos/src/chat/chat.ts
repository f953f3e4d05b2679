import mqtt, { type MqttClient } from "mqtt"; // its browser entry has a default export only

import { TCPSocket } from "../tcpsocket.ts";
import type { Target } from "../targets.ts";
import { SocketDuplex } from "./duplex.ts";
import * as wire from "./message.ts";
import { Tally } from "./tally.ts";

/** Seconds for which the broker keeps what was said. */
const keepFor = 3600;

/** What the chat tells its page. */
export interface Listener {
  /** A socket was made for the broker; the old one, if any, is over. */
  socket(socket: TCPSocket): void;
  joined(): void;
  message(message: wire.Message, kept: boolean): void;
  /** The broker confirmed a message of ours. */
  confirmed(message: wire.Message): void;
  people(all: readonly wire.Presence[]): void;
  /** The way to the broker is gone, not only a link; it is tried again. */
  lost(): void;
  /** MQTT itself went wrong; "lost" may follow. */
  failed(error: Error): void;
  /** Left, on demand. */
  ended(): void;
}

/**
 * The chat as MQTT sees it: a client from npm, its stream a TCPSocket. One room
 * at a time; presence is one retained message per page, replaced by its last will.
 */
export class Chat {
  readonly id = Array.from(crypto.getRandomValues(new Uint8Array(6)), (b) => b.toString(16).padStart(2, "0")).join("");
  readonly tally = new Tally();
  sent = 0;
  socket: TCPSocket | null = null;

  private readonly mqtt: MqttClient;
  private readonly present = new Map<string, wire.Presence>();
  private readonly numbers = new Map<string, number>(); // room to the last number used there
  private over = false;

  constructor(broker: Target, readonly nick: string, public room: string, private readonly listener: Listener) {
    this.mqtt = new mqtt.MqttClient(() => this.dial(broker), {
      manualConnect: true, // start() does
      clientId: this.id,
      protocolVersion: 5,
      keepalive: 60, // seconds
      timerVariant: "native", // the other one is a worker from a blob: URL, which the pages' policy forbids
      reconnectPeriod: 1000, // ms; only when the session itself is lost
      resubscribe: false, // enter() does
      will: { topic: wire.whoTopic(this.id), payload: wire.gone, qos: 1, retain: true, properties: { messageExpiryInterval: keepFor } },
    });
    this.mqtt.on("connect", () => {
      this.present.clear(); // the broker tells again who is here
      this.enter();
    });
    this.mqtt.on("message", (topic, payload, packet) => this.take(topic, payload.toString(), packet.retain));
    this.mqtt.on("close", () => this.over || this.listener.lost());
    this.mqtt.on("error", (error) => this.listener.failed(error));
  }

  start(): void {
    this.mqtt.connect();
  }

  /** Says something; the number it gets is the next one in this room. */
  say(text: string): wire.Message {
    const n = (this.numbers.get(this.room) ?? 0) + 1;
    this.numbers.set(this.room, n);
    const message: wire.Message = { author: this.id, n, nick: this.nick, text, at: Date.now() };
    this.sent++;
    this.mqtt.publish(
      wire.messageTopic(this.room, message),
      wire.encodeMessage(message),
      { qos: 1, retain: true, properties: { messageExpiryInterval: keepFor } },
      (error) => {
        if (!error) {
          this.listener.confirmed(message);
        }
      },
    );
    return message;
  }

  /** Leaves this room for another one. */
  move(room: string): void {
    this.mqtt.unsubscribe(wire.roomTopics(this.room));
    this.room = room;
    this.enter();
  }

  /** Says good-bye and ends. */
  async leave(): Promise<void> {
    this.over = true;
    await this.mqtt.publishAsync(wire.whoTopic(this.id), "", { qos: 1, retain: true });
    await this.mqtt.endAsync();
    this.listener.ended();
  }

  private dial(broker: Target): SocketDuplex {
    this.socket = new TCPSocket(broker.host, broker.port);
    this.listener.socket(this.socket);
    return new SocketDuplex(this.socket);
  }

  private enter(): void {
    this.tally.forget();
    this.mqtt.subscribe([wire.everybody, wire.roomTopics(this.room)], { qos: 1 });
    const me: wire.Presence = { id: this.id, nick: this.nick, room: this.room };
    this.mqtt.publish(wire.whoTopic(this.id), wire.encodePresence(me), { qos: 1, retain: true });
    this.listener.joined();
    this.listener.people([...this.present.values()]);
  }

  private take(topic: string, payload: string, kept: boolean): void {
    const who = wire.parsePresence(topic, payload);
    if (who) {
      if (who.presence) {
        this.present.set(who.id, who.presence);
      } else {
        this.present.delete(who.id);
      }
      this.listener.people([...this.present.values()]);
      return;
    }
    const message = wire.parseMessage(this.room, topic, payload);
    if (message && !this.over) {
      this.tally[kept ? "kept" : "live"](message.author, message.n);
      this.listener.message(message, kept);
    }
  }
}
