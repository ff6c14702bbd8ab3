import { type ControllerSelection, DEFAULT_HUGEPAGES } from "@daos/bdev";
import type { ServerConfig } from "@daos/config";

type Configured = Partial<Pick<ServerConfig, "bdevInclude" | "bdevExclude" | "nrHugepages">> | undefined;

/** The controllers that prepare and reset may change; all without a configuration. */
export function configuredControllers(config: Configured): Pick<ControllerSelection, "include" | "exclude"> {
  return { include: config?.bdevInclude, exclude: config?.bdevExclude };
}

/** The number of hugepages in a configuration; undefined for the default, so that a larger number on the host is kept. */
export function configuredHugepages(config: Configured): number | undefined {
  return config?.nrHugepages === DEFAULT_HUGEPAGES ? undefined : config?.nrHugepages;
}
