import { type ControllerSelection, DEFAULT_HUGEPAGES } from "@daos/bdev";
import type { ServerConfig } from "@daos/config";

type Configured = Partial<Pick<ServerConfig, "bdevInclude" | "bdevExclude" | "nrHugepages">> | undefined;

/** The controllers that a configuration lets prepare and reset touch; all without one. */
export function configuredControllers(config: Configured): Pick<ControllerSelection, "include" | "exclude"> {
  return { include: config?.bdevInclude, exclude: config?.bdevExclude };
}

/** The hugepages that a configuration asks for. The default is no wish: a larger number that the host has is kept. */
export function configuredHugepages(config: Configured): number | undefined {
  return config?.nrHugepages === DEFAULT_HUGEPAGES ? undefined : config?.nrHugepages;
}
