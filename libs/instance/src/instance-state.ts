import type { Fault } from "@daos/fault";
import type { Rank } from "@daos/rank";
import type { EngineReady } from "./data-plane/set-up-engine.ts";

/** Where an engine is in its life. */
export type InstanceState =
  /** Its storage has not been opened yet. */
  | { readonly kind: "new" }
  /** Its storage waits for `storage format`. */
  | { readonly kind: "awaiting format"; readonly reason: string }
  /** Its storage is being formatted, or has been and gets its identity. */
  | { readonly kind: "formatting" }
  /** Its process runs, but is not in service yet; `reason` is why the one before ended. */
  | { readonly kind: "starting"; readonly reason: string }
  /** It is a member of the system, and in order unless {@link servingProblem} says why not. */
  | {
      readonly kind: "serving";
      readonly rank: Rank;
      readonly ready: EngineReady;
      /** For how long it has not answered. */
      readonly unresponsive?: string | undefined;
      /** Its storage has changed since its start. */
      readonly storageFault?: Fault | undefined;
    }
  /** It ended unasked and is about to be started again. */
  | { readonly kind: "restarting"; readonly reason: string }
  /** It ended because it was asked to, and waits to be started. */
  | { readonly kind: "stopped" }
  /** It is not started again unasked. */
  | { readonly kind: "failed"; readonly fault: Fault };

/** Why an engine whose process serves is not in order; undefined when it is. */
export function servingProblem(state: InstanceState & { readonly kind: "serving" }): string | undefined {
  return state.storageFault?.message ?? state.unresponsive;
}
