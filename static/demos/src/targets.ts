/** What new TCPSocket(host, port) is given. */
export interface Target {
  host: string;
  port: number;
}

/** Where the servers of the demo listen. */
export interface Targets {
  mqtt: Target;
  echo: Target;
  counter: Target;
}

/** Asks the proxy that served this page. Throws if it runs without the demo. */
export async function targets(): Promise<Targets> {
  const answer = await fetch("demo.json", { cache: "no-store" });
  if (!answer.ok) {
    throw new Error(`demo.json: HTTP ${answer.status}; is this page served by "encke demo"?`);
  }
  return (await answer.json()) as Targets;
}

/** Writes a target as users write it: "host:port", "[::1]:port". */
export function address(target: Target): string {
  return target.host.includes(":") ? `[${target.host}]:${target.port}` : `${target.host}:${target.port}`;
}
