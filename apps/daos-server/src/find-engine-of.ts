import { dirname, join } from "node:path";
import type { ServerConfig } from "@daos/config";
import { findEngine } from "@daos/instance";
import { findEmulatedEngine } from "./find-emulated-engine.ts";

/**
 * The engine program of a configuration: on PATH, beside daos-server, or the emulated one.
 *
 * @throws Fault engineNotFound
 */
export async function findEngineOf({ engine }: Pick<ServerConfig, "engine">): Promise<string> {
  if (engine === "emulated") return findEmulatedEngine();
  // bin/daos-server names the bundle, dist/bundle/main.cjs.
  return findEngine(process.env.PATH, join(dirname(process.argv[1] ?? "."), "..", "..", "bin"));
}
