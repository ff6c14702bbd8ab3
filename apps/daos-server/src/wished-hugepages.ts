import { DEFAULT_HUGEPAGES } from "@daos/bdev";
import type { ServerConfig } from "@daos/config";

/** The hugepages that a configuration asks for. The default is no wish: a larger number that the host has is kept. */
export function wishedHugepages(config: Pick<Partial<ServerConfig>, "nrHugepages"> | undefined) {
  return config?.nrHugepages === DEFAULT_HUGEPAGES ? undefined : config?.nrHugepages;
}
