import { setFlagsFromString } from "node:v8";
import { trimMemory } from "@daos/systemd";

/** Memory that V8's compilers and the connections have freed stays with malloc until then, ms. */
const TRIM_MS = 10_000;

/**
 * Prefers low memory to few garbage collections from now on. Call it when all modules of the server are loaded: with the same option
 * of Node.js, V8 refuses the compiled code of Node's own modules. See docs/performance.md.
 *
 * @throws Fault missingSoftwareDependency
 */
export function limitMemory(): void {
  trimMemory();
  setFlagsFromString("--heap-growing-percent=20");
  setInterval(trimMemory, TRIM_MS).unref();
}
