import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** The root of the repository: where csp/PROTOCOL.md is, from here upwards. */
function root(): string {
  for (let dir = process.cwd(); ; dir = dirname(dir)) {
    if (existsSync(join(dir, "csp", "PROTOCOL.md"))) return dir;
    if (dir === dirname(dir)) throw new Error("the tests must run inside the repository");
  }
}

/** The pairs of a file of shared vectors: what is before and behind the tab of each line. */
export function readVectors(path: string): [left: string, right: string][] {
  return readLines(path).map((line) => {
    const tab = line.indexOf("\t");
    if (tab < 0) throw new Error(`${path}: no tab in ${JSON.stringify(line)}`);
    return [line.slice(0, tab), line.slice(tab + 1)];
  });
}

/** The lines of a shared file without comments and empty ones. */
export function readLines(path: string): string[] {
  const text = readFileSync(join(root(), path), "utf8");
  return text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
}

/** Paths of the shared exchanges. */
export function exchanges(): string[] {
  const dir = join(root(), "csp", "testdata");
  return readdirSync(dir).filter((name) => /^exchange-.*\.txt$/.test(name)).map((name) => `csp/testdata/${name}`); // prettier-ignore
}

export function hex(data: Uint8Array): string {
  return Buffer.from(data).toString("hex");
}

export function unhex(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(text, "hex"));
}
