// What goes over the broker. Anybody may publish there, so nothing that comes in
// is trusted: a payload that is not of this shape is no message.

/** One message of a room, as its author numbered it. */
export interface Message {
  author: string; // the id of the author's page
  n: number; // 1, 2, 3 ... for this author in this room
  nick: string;
  text: string;
  at: number; // milliseconds since 1970, by the author's clock
}

/** Who is here, and in which room. */
export interface Presence {
  id: string;
  nick: string;
  room: string;
}

const root = "encke-demo";

/**
 * How many messages of one author a room remembers. Each is retained under a
 * topic of its own: a topic holds one retained message, and its author alone
 * writes there, so that no two pages overwrite each other's.
 */
const remembered = 10;

export const everybody = `${root}/who/+`;
export const whoTopic = (id: string): string => `${root}/who/${id}`;
export const roomTopics = (room: string): string => `${root}/room/${room}/#`;
export const messageTopic = (room: string, m: Message): string => `${root}/room/${room}/${m.author}/${m.n % remembered}`;

/**
 * The presence of a page that is gone without saying so. An empty payload, which
 * deletes a retained message, is not accepted as a last will by every broker.
 */
export const gone = "gone";

/** A room name is one level of a topic without anything that MQTT reads into it. */
export const isRoom = (name: string): boolean => /^[a-z0-9-]{1,24}$/.test(name);

export const encodeMessage = (m: Message): string => JSON.stringify({ n: m.n, nick: m.nick, text: m.text, at: m.at });
export const encodePresence = (p: Presence): string => JSON.stringify({ nick: p.nick, room: p.room });

/** Reads a message of this room, or returns null. */
export function parseMessage(room: string, topic: string, payload: string): Message | null {
  const [top, kind, where, author, slot, ...rest] = topic.split("/");
  const fields = parseObject(payload);
  if (top !== root || kind !== "room" || where !== room || !author || !slot || rest.length || !fields) {
    return null;
  }
  const { n, nick, text, at } = fields;
  if (typeof n !== "number" || !Number.isSafeInteger(n) || n < 1 || typeof at !== "number") {
    return null;
  }
  if (typeof nick !== "string" || typeof text !== "string") {
    return null;
  }
  return { author, n, nick: nick.slice(0, 24), text: text.slice(0, 1000), at };
}

/** Reads the presence of a page; one that left has none. */
export function parsePresence(topic: string, payload: string): { id: string; presence: Presence | null } | null {
  const [top, kind, id, ...rest] = topic.split("/");
  if (top !== root || kind !== "who" || !id || rest.length) {
    return null;
  }
  const fields = parseObject(payload);
  const nick = fields?.["nick"];
  const room = fields?.["room"];
  if (typeof nick !== "string" || typeof room !== "string" || !isRoom(room)) {
    return { id, presence: null };
  }
  return { id, presence: { id, nick: nick.slice(0, 24), room } };
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
