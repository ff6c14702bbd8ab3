import type { BdevProvider } from "./bdev-provider.ts";

/**
 * The operations on block devices. `BdevProvider` performs them itself; `ForwardingBdev` forwards them to the privileged
 * helper.
 */
export type BdevOperations = Pick<
  BdevProvider,
  "scan" | "check" | "checkFormat" | "format" | "burnIn" | "prepare" | "reset"
>;
