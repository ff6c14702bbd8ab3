import { chmodSync, readdirSync } from "node:fs";

/**
 * The environment for a run of the program that fills the compile cache of its bundle, so that an operator's first start is as
 * fast as the second. A cache is valid for one set of V8 flags.
 *
 * @param {string} bundle directory of the bundle
 */
export function compileCache(bundle) {
  return { NODE_COMPILE_CACHE: `${bundle}/cache`, NODE_COMPILE_CACHE_PORTABLE: "1" };
}

/**
 * Makes the cache readable by all users and writable by its owner only, because its content determines what the program runs.
 *
 * @param {string} bundle directory of the bundle
 */
export function sealCompileCache(bundle) {
  const cache = `${bundle}/cache`;
  chmodSync(cache, 0o755);
  for (const entry of readdirSync(cache, { recursive: true, withFileTypes: true }))
    chmodSync(`${entry.parentPath}/${entry.name}`, entry.isDirectory() ? 0o755 : 0o644);
}
