import type { mgmt } from "@daos/proto";
import type { ControlClient } from "./control-client.ts";
import { checkStatus } from "./status.ts";

/** Selects a device: by its uuid, or by a target that uses it. */
export type BlobstoreSelector =
  | { readonly kind: "device"; readonly uuid: string }
  | { readonly kind: "target"; readonly id: string };

/** The health of one device as its blobstore reports it. */
export interface BlobstoreHealth {
  readonly deviceUuid: string;
  readonly errorCount: number;
  readonly temperatureK: number;
  readonly mediaErrors: number;
  readonly readErrors: number;
  readonly writeErrors: number;
  readonly unmapErrors: number;
  readonly checksumErrors: number;
  readonly temperatureWarning: boolean;
  readonly availableSpareWarning: boolean;
  readonly readOnlyWarning: boolean;
  readonly reliabilityWarning: boolean;
  readonly volatileMemoryWarning: boolean;
}

/** Asks the engine on the leader's host for the health of one device. @throws Fault */
export function blobstoreHealth(client: ControlClient, device: BlobstoreSelector): Promise<BlobstoreHealth> {
  const attempted =
    device.kind === "device" ? `query device ${device.uuid}` : `query the device of target ${device.id}`;
  return client.leader({
    attempted,
    timeoutMs: 60_000,
    repeatable: true,
    call: async ({ mgmt }, options) => {
      const request = device.kind === "device" ? { devUuid: device.uuid } : { tgtId: device.id };
      const health = await mgmt.bioHealthQuery(request, options);
      checkStatus(attempted, health.status);
      return readHealth(health);
    },
  });
}

export function readHealth(health: mgmt.BioHealthResp): BlobstoreHealth {
  return {
    deviceUuid: health.devUuid,
    errorCount: Number(health.errorCount),
    temperatureK: health.temperature,
    mediaErrors: Number(health.mediaErrors),
    readErrors: health.readErrs,
    writeErrors: health.writeErrs,
    unmapErrors: health.unmapErrs,
    checksumErrors: health.checksumErrs,
    temperatureWarning: health.temp,
    availableSpareWarning: health.spare,
    readOnlyWarning: health.readonly,
    reliabilityWarning: health.deviceReliability,
    volatileMemoryWarning: health.volatileMemory,
  };
}
