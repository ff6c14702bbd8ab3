import {
  type ControllerSelection,
  DEFAULT_BURN_IN_MS,
  faultInUse,
  MAX_BURN_IN_MS,
  parsePciAddress,
  whyNotSelected,
} from "@daos/bdev";
import { countOf, Fault, FaultCode } from "@daos/fault";
import type { EngineInstance } from "@daos/instance";

/** The facts that decide whether an engine's controllers may be overwritten. */
export type ControllerOwner = Pick<EngineInstance, "index" | "config" | "state" | "superblock">;

export interface BurnInOrder {
  /** The controllers that the operator names, each of which must be burnt in; undefined for every one that can be. */
  readonly named: readonly string[] | undefined;
  readonly durationMs: number;
}

/** The decision about one controller. */
export type BurnInDecision =
  | { readonly kind: "burn in"; readonly address: string }
  /** It was not named, and is left as it is. */
  | { readonly kind: "skip"; readonly address: string; readonly reason: string }
  /** It was named, and must not be touched. */
  | { readonly kind: "refuse"; readonly address: string; readonly fault: Fault };

/**
 * Parses the request of an operator.
 *
 * @param devices PCI addresses; none for every controller that can be burnt in
 * @param seconds for each; 0 for the default
 * @throws Fault usage
 */
export function parseBurnInOrder(devices: readonly string[], seconds: number): BurnInOrder {
  const durationMs = seconds === 0 ? DEFAULT_BURN_IN_MS : seconds * 1000;
  if (durationMs > MAX_BURN_IN_MS) throw faultTooLong(seconds);
  const addresses = devices.map(requireAddress);
  return { named: addresses.length === 0 ? undefined : [...new Set(addresses)], durationMs };
}

/**
 * Decides which controllers of this host may be burnt in, which overwrites them. A controller of an engine whose
 * storage is formatted is refused. A controller that the operator does not name is skipped when the configuration
 * excludes it.
 *
 * @param found the controllers of this host, of which the order names none
 */
export function planBurnIn(
  { named }: BurnInOrder,
  host: {
    readonly found: readonly string[];
    readonly engines: readonly ControllerOwner[];
    readonly selection: ControllerSelection;
  },
): readonly BurnInDecision[] {
  return (named ?? host.found).map((address): BurnInDecision => {
    const owner = host.engines.find((engine) => serves(address, engine));
    const use = owner === undefined ? undefined : whyInUse(owner);
    if (named !== undefined) {
      if (use === undefined) return { kind: "burn in", address };
      return { kind: "refuse", address, fault: faultInUse(`burn in the NVMe controller ${address}`, use) };
    }
    const reason = use ?? whyNotSelected(address, host.selection);
    return reason === undefined ? { kind: "burn in", address } : { kind: "skip", address, reason };
  });
}

const SKIPPED_FOR: ReadonlySet<number> = new Set([
  FaultCode.bdevInUse,
  FaultCode.bdevBurnInFailed,
  // The helper's policy does not allow it.
  FaultCode.helperRefused,
]);

/** True when a controller that could not be burnt in counts as skipped: the operator did not name it. */
export function isSkippedFor({ code }: Fault, { named }: BurnInOrder): boolean {
  return named === undefined && SKIPPED_FOR.has(code);
}

function serves(address: string, { config: { bdev } }: ControllerOwner): boolean {
  return bdev.class === "nvme" && bdev.list.some((entry) => (parsePciAddress(entry) ?? entry) === address);
}

/** An engine's controllers are free of its data only while it waits for a format. */
function whyInUse({ index, state, superblock }: ControllerOwner): string | undefined {
  const isBlank = state.kind === "awaiting format" || (state.kind === "failed" && superblock === undefined);
  return isBlank ? undefined : `it serves engine ${index}, which is ${state.kind}`;
}

function requireAddress(text: string): string {
  const address = parsePciAddress(text);
  if (address !== undefined) return address;
  throw new Fault({
    domain: "bdev",
    code: FaultCode.usage,
    description: `cannot burn in "${text}", which is not a PCI address`,
    resolution: "give addresses as dmg storage scan --verbose shows them: 0000:81:00.0",
  });
}

function faultTooLong(seconds: number): Fault {
  return new Fault({
    domain: "bdev",
    code: FaultCode.usage,
    description: `burn in for ${countOf(seconds, "second")}`,
    resolution: `ask for at most ${MAX_BURN_IN_MS / 60_000} minutes; what has passed can be burnt in again`,
  });
}
