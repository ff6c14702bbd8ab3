import type { ScmModule, ScmRegion } from "./scm-types.ts";

/** What prepare has to do next. */
export type ScmPreparePlan =
  /** There is no persistent memory on this machine. */
  | { readonly kind: "nothing" }
  /** The modules are not divided into regions yet: ask for AppDirect at the next boot. */
  | { readonly kind: "create-goal" }
  /** These regions have room. */
  | { readonly kind: "create-namespaces"; readonly regions: readonly ScmRegion[] }
  | { readonly kind: "list" };

/** Less room than this is left over by alignment; no namespace fits. */
const MIN_NAMESPACE_BYTES = 16n * 1024n * 1024n;

/**
 * Decides by what there is, so that prepare can be repeated after a reboot, or after an interruption. Regions without
 * modules are virtual ones, or those of CXL memory.
 *
 * @see DAOS 0.8.0 src/control/server/storage/scm/ipmctl.go (Prep)
 */
export function planPrepare(found: {
  readonly modules: readonly ScmModule[];
  readonly regions: readonly ScmRegion[];
}): ScmPreparePlan {
  if (found.regions.length === 0) return { kind: found.modules.length === 0 ? "nothing" : "create-goal" };
  const regions = found.regions.filter(hasRoom);
  return regions.length === 0 ? { kind: "list" } : { kind: "create-namespaces", regions };
}

/** True when a namespace fits into what a region has left. */
export function hasRoom(region: ScmRegion): boolean {
  return region.problem === undefined && region.largestExtent >= MIN_NAMESPACE_BYTES;
}
