/** The classic script for pages of Orbited 0.7: sets the global Orbited and nothing else. */
import { orbited } from "./api.ts";

const g = globalThis as { document?: Document; location?: Location; Orbited?: unknown };

const script = g.document?.currentScript as HTMLScriptElement | null | undefined;
g.Orbited = orbited(script?.src || undefined, g.location);
