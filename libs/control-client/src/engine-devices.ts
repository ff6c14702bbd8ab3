import type { Fault } from "@daos/fault";
import { formatHostAddress, type HostAddress } from "@daos/hostlist";
import type { ctl } from "@daos/proto";
import { type BlobstoreHealth, type BlobstoreSelector, readHealth } from "./blobstore-health.ts";
import type { ControlClient, HostResult } from "./control-client.ts";
import { readSmdDevice, readSmdPool, type SmdDevice, type SmdPool } from "./smd-query.ts";
import { stateFault } from "./status.ts";
import { faultServerTooOld, isUnimplemented } from "./unimplemented.ts";

/** What one engine knows about its NVMe devices. Lists that were not requested are empty. */
export interface EngineDevices {
  readonly index: number;
  /** Absent until the engine has joined the system. */
  readonly rank: number | undefined;
  readonly devices: readonly SmdDevice[];
  readonly pools: readonly SmdPool[];
  readonly health: readonly BlobstoreHealth[];
  /** Why the engine did not answer. */
  readonly fault: Fault | undefined;
}

export interface EngineDevicesRequest {
  readonly devices?: boolean;
  readonly pools?: boolean;
  /** The health of one device, or of all. */
  readonly health?: BlobstoreSelector | { readonly kind: "all" };
  /** The ranks of a host that are asked; all of its engines for an empty list. */
  readonly ranksOf: (host: HostAddress) => readonly number[];
}

/** Asks the engines of every host about their devices: uuids and targets, the pools on them, their health. */
export function engineDevices(
  client: ControlClient,
  { devices = false, pools = false, health, ranksOf }: EngineDevicesRequest,
): AsyncGenerator<HostResult<readonly EngineDevices[]>> {
  const attempted = "ask the engines about their devices";
  return client.eachHost({
    attempted,
    timeoutMs: 60_000,
    call: async (connection, options) => {
      const { host } = connection;
      const request = {
        devices,
        pools,
        health: health !== undefined,
        device: health?.kind === "device" ? health.uuid : "",
        target: health?.kind === "target" ? health.id : "",
        ranks: [...ranksOf(host)],
      };
      try {
        return (await connection.ctl.smdQuery(request, options)).engines.map((engine) => read(engine, host));
      } catch (error) {
        if (!isUnimplemented(error)) throw error;
        throw faultServerTooOld(
          attempted,
          "see the devices of one engine with: dmg storage query smd",
          connection,
          error,
        );
      }
    },
  });
}

function read(engine: ctl.SmdQueryResp_Engine, host: HostAddress): EngineDevices {
  const { index, rank, state, devices, pools, health } = engine;
  return {
    index,
    rank,
    devices: devices.map(readSmdDevice),
    pools: pools.map(readSmdPool),
    health: health.map(readHealth),
    fault: stateFault("bdev", `ask engine ${index} of ${formatHostAddress(host)} about its devices`, state),
  };
}
