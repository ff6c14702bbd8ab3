import { type Fault, FaultCode } from "@daos/fault";
import type { Clock } from "@daos/sys";
import { planRestart, STABLE_MS } from "./plan-restart.ts";

/** The end of one process of an engine, or of one attempt to start it. */
export interface EngineRun {
  readonly reachedService: boolean;
  /** Why it ended, or could not be started. */
  readonly fault: Fault;
}

/** The part of an engine that supervision uses. */
export interface SupervisePorts {
  /** One process from start to end. */
  runOnce(options: { readonly signal: AbortSignal }): Promise<EngineRun>;
  /** The engine was asked to stop: its end is no failure. */
  stopAsked(): boolean;
  /**
   * Called when it has ended without a request. Resolves when it is to be started again, or as soon as it is asked to
   * stop.
   */
  restartAfter(delayMs: number, fault: Fault, options: { readonly signal: AbortSignal }): Promise<void>;
  readonly clock: Clock;
}

/** Why an engine is not started again. */
export type SuperviseEnd =
  | { readonly kind: "stopped" }
  | { readonly kind: "failed"; readonly reason: string; readonly fault: Fault };

/**
 * Keeps an engine in service: starts it again when it ends without a request, with growing pauses, and gives up on a
 * crash loop.
 *
 * @param hasServed it has been in service since the server started
 * @throws the signal's reason
 */
export async function supervise(
  ports: SupervisePorts,
  options: { readonly hasServed: boolean; readonly signal: AbortSignal },
): Promise<SuperviseEnd> {
  const { clock } = ports;
  const { signal } = options;
  let { hasServed } = options;
  let failuresInARow = 0;
  for (;;) {
    signal.throwIfAborted();
    // It may have been asked to while its storage was opened.
    if (ports.stopAsked()) return { kind: "stopped" };
    const begun = clock.now();
    const { reachedService, fault } = await ports.runOnce({ signal });
    if (ports.stopAsked()) return { kind: "stopped" };
    signal.throwIfAborted();
    hasServed ||= reachedService;
    failuresInARow = clock.now() - begun > STABLE_MS ? 1 : failuresInARow + 1;
    const storageLost = fault.code === FaultCode.storageLost;
    const plan = planRestart({ hasServed, failuresInARow, storageLost }, clock.random());
    if (plan.kind === "give-up") return { kind: "failed", reason: plan.reason, fault };
    await ports.restartAfter(plan.delayMs, fault, { signal });
    if (ports.stopAsked()) return { kind: "stopped" };
  }
}
