import type { SimulateOptions } from "./simulate.ts";

/** The full size of the simulated system. */
const LARGE = { hosts: 256, enginesPerHost: 8 };
/** One seed in this many has the full size. The smaller ones find the same bugs in less time. */
const LARGE_EVERY = 4;

/** The options of a seed's run. `large` selects the full size for any seed. */
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
