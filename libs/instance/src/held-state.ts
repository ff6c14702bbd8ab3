import type { Fault } from "@daos/fault";
import type { EngineReady } from "./data-plane/set-up-engine.ts";
import type { EngineClient } from "./engine-client.ts";
import type { ProcessPart } from "./instance-parts.ts";
import type { InstanceState } from "./instance-state.ts";

type Shown<Kind extends InstanceState["kind"]> = Extract<InstanceState, { readonly kind: Kind }>;

/** How the wait for a format ended: the storage was formatted, or is to be opened again. */
export type FormatEnd = "formatted" | "look again";

export interface AwaitingFormat extends Shown<"awaiting format"> {
  readonly formatEnded: PromiseWithResolvers<FormatEnd>;
}

export interface Starting extends Shown<"starting"> {
  /** Resolves with the engine's own announcement. */
  readonly announced: PromiseWithResolvers<EngineReady>;
  /** Absent until it runs. */
  process?: ProcessPart;
  /** Its replica of the data plane's management service, once that has been started and only its join is left. */
  replica?: EngineClient | undefined;
}

export interface Serving extends Shown<"serving"> {
  readonly process: ProcessPart;
  readonly client: EngineClient;
}

export interface Restarting extends Shown<"restarting"> {
  /** Its abort ends the pause before the engine is started again. */
  readonly pause: AbortController;
}

interface Idle {
  /** Resolved to start the engine. */
  readonly startAsked: PromiseWithResolvers<void>;
  /** Settles when the engine has been erased; absent while no erase is under way. */
  erasure?: Promise<void> | undefined;
}

export interface Stopped extends Shown<"stopped">, Idle {}

export interface Failed extends Shown<"failed">, Idle {}

/** A state as it is shown, with the data that the instance needs in that state only. */
export type HeldState =
  | Shown<"new">
  | AwaitingFormat
  | Shown<"formatting">
  | Starting
  | Serving
  | Restarting
  | Stopped
  | Failed;

export function awaitingFormat(reason: string): AwaitingFormat {
  return { kind: "awaiting format", reason, formatEnded: Promise.withResolvers() } satisfies AwaitingFormat;
}

/** @param reason why the process before ended; empty for the first */
export function starting(reason: string): Starting {
  const announced = Promise.withResolvers<EngineReady>();
  return { kind: "starting", reason, announced } satisfies Starting;
}

export function serving(engine: Omit<Serving, "kind">): Serving {
  return { kind: "serving", ...engine } satisfies Serving;
}

export function restarting(reason: string): Restarting {
  return { kind: "restarting", reason, pause: new AbortController() } satisfies Restarting;
}

export function stopped(): Stopped {
  return { kind: "stopped", startAsked: Promise.withResolvers() } satisfies Stopped;
}

export function failed(fault: Fault): Failed {
  return { kind: "failed", fault, startAsked: Promise.withResolvers() } satisfies Failed;
}

/** The engine that takes calls in this state, if any. */
export function clientOf(state: HeldState): EngineClient | undefined {
  if (state.kind === "serving") return state.client;
  return state.kind === "starting" ? state.replica : undefined;
}

/** The process that runs in this state, if any. */
export function processOf(state: HeldState): ProcessPart | undefined {
  return state.kind === "starting" || state.kind === "serving" ? state.process : undefined;
}
