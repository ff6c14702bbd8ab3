import type { EngineDevicesRequest } from "@daos/control-client";
import type { Answer } from "../answer.ts";
import { askEngines, placeOf, showRank } from "./ask-engines.ts";
import { showHealth } from "./show-health.ts";

/** The health of devices of the selected engines, each with its host and rank. @throws Fault */
export async function devicesHealth(
  context: Parameters<typeof askEngines>[0],
  health: NonNullable<EngineDevicesRequest["health"]>,
): Promise<Answer> {
  const { engines, failures } = await askEngines(context, { health });
  const devices = engines.flatMap((engine) => engine.health.map((one) => ({ ...placeOf(engine), ...one })));
  return {
    result: { devices },
    text: () =>
      devices
        .map((one) => `Host: ${one.host}  Rank: ${showRank(one.rank)}\n${showHealth(one)}`)
        .join("\n\n") || (engines.length > 0 ? "No devices" : ""),
    anySucceeded: engines.length > 0,
    failures,
  };
}
