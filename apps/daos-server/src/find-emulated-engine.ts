import { createRequire } from "node:module";
import { faultEngineNotFound } from "@daos/instance";

const EMULATOR = "@daos/engine-emulator";

/**
 * The executable of the emulated engine. Its package exports it under the engine's name, and is resolved at run time like a
 * plugin, because the server does not depend on it.
 *
 * @throws Fault engineNotFound when the package is not installed beside the server
 */
export function findEmulatedEngine(emulator = EMULATOR): string {
  try {
    return createRequire(import.meta.url).resolve(`${emulator}/daos_io_server`);
  } catch {
    throw faultEngineNotFound([`the package ${emulator}`]);
  }
}
