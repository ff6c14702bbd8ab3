import type { BdevProvider } from "./bdev-provider.ts";

/** What can be done with block devices: by `BdevProvider` itself, or through `ForwardingBdev` by the privileged helper. */
export type BdevOperations = Pick<BdevProvider, "scan" | "check" | "format" | "burnIn" | "prepare" | "reset">;
