import type { ScmModule, ScmRegion } from "./scm-types.ts";

/** The next step of a prepare. */
export type ScmPreparePlan =
  /** This machine has no persistent memory. */
  | { readonly kind: "nothing" }
  /** The modules have no regions yet. Request AppDirect for the next boot. */
  | { readonly kind: "create-goal" }
  /** These regions have free space. */
  | { readonly kind: "create-namespaces"; readonly regions: readonly ScmRegion[] }
  | { readonly kind: "list" };

/** Alignment leaves this much space unused. No namespace fits into less. */
const MIN_NAMESPACE_BYTES = 16n * 1024n * 1024n;

/**
 * Decides from the current state, so prepare can be repeated after a reboot or an interruption. Regions without modules are
 * virtual or on CXL memory.
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

/** True when a namespace fits into the free space of a region. */
export function hasRoom(region: ScmRegion): boolean {
  return region.problem === undefined && region.largestExtent >= MIN_NAMESPACE_BYTES;
}
