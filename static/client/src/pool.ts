import type { TransportName } from "./link.ts";
import { watchPage } from "./page.ts";
import { thisPlatform } from "./platform.ts";
import { transports } from "./transports/index.ts";
import { Trunk } from "./trunk.ts";
import { browserStorage } from "./verdicts.ts";

/** All sessions of this page that live. */
const live = new Set<Trunk>();

/** Those that take new sockets, by proxy and transports. */
const open = new Map<string, Trunk>();

/** The session that sockets to this proxy share; names: only these transports, in this order. */
export function trunkFor(base: string, names: readonly TransportName[] | undefined): Trunk {
  const key = `${base} ${names ? names.join() : ""}`;
  const found = open.get(key);
  if (found) return found;
  const list = names ? names.map((name) => transports.find((t) => t.name === name)!) : transports;
  const settings = { base, transports: list, platform: thisPlatform(), storage: browserStorage };
  const trunk = new Trunk(settings, (over) => {
    if (open.get(key) === trunk) open.delete(key);
    if (over) live.delete(trunk);
  });
  open.set(key, trunk);
  live.add(trunk);
  watchPage({
    suspect: () => live.forEach((t) => t.suspect()),
    unload: () => live.forEach((t) => t.unload()),
  });
  return trunk;
}
