import type { mgmt } from "@daos/proto";
import type { ControlClient } from "./control-client.ts";
import { checkStatus } from "./status.ts";

/** An NVMe device in an engine's per-server metadata. */
export interface SmdDevice {
  readonly uuid: string;
  readonly targets: readonly number[];
}

/** A pool in an engine's per-server metadata: its blob on each target. */
export interface SmdPool {
  readonly uuid: string;
  readonly targets: readonly number[];
  /** Blob ids in hexadecimal, in the order of `targets`. */
  readonly blobs: readonly string[];
}

/** Lists the devices that the engine on the leader's host uses. @throws Fault */
export function smdListDevices(client: ControlClient): Promise<readonly SmdDevice[]> {
  const attempted = "list devices";
  return client.leader({
    attempted,
    timeoutMs: 60_000,
    repeatable: true,
    call: async ({ mgmt }, options) => {
      const { status, devices } = await mgmt.smdListDevs({}, options);
      checkStatus(attempted, status);
      return devices.map(readSmdDevice);
    },
  });
}

/** Lists the pools that the engine on the leader's host stores. @throws Fault */
export function smdListPools(client: ControlClient): Promise<readonly SmdPool[]> {
  const attempted = "list pools of the devices";
  return client.leader({
    attempted,
    timeoutMs: 60_000,
    repeatable: true,
    call: async ({ mgmt }, options) => {
      const { status, pools } = await mgmt.smdListPools({}, options);
      checkStatus(attempted, status);
      return pools.map(readSmdPool);
    },
  });
}

export function readSmdDevice({ uuid, tgtIds }: mgmt.SmdDevResp_Device): SmdDevice {
  return { uuid, targets: tgtIds };
}

export function readSmdPool({ uuid, tgtIds, blobs }: mgmt.SmdPoolResp_Pool): SmdPool {
  return { uuid, targets: tgtIds, blobs: blobs.map((blob) => `0x${blob.toString(16)}`) };
}
