import type { SimulateOptions } from "./simulate.ts";

/** The size of the system that the simulation is about. */
const LARGE = { hosts: 256, enginesPerHost: 8 };
/** One seed of so many is of that size; the others find the same mistakes in less time. */
const LARGE_EVERY = 4;

/** What is run for a seed; `large` for the full size whatever the seed. */
export function seedPlan(seed: number, large = seed % LARGE_EVERY === 0): SimulateOptions {
  const small = { hosts: 8 + (seed % 5) * 6, enginesPerHost: 1 + (seed % 4) * 2 };
  return {
    seed,
    // Seeds of either kind come in both sizes.
    mode: seed % 3 === 0 ? "fixed" : "etcd",
    faultsMs: 120_000,
    ...(large ? LARGE : small),
  };
}
