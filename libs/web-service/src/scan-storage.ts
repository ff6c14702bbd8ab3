import type { MessageInitShape } from "@bufbuild/protobuf";
import { type ControlClient, type StorageScan, storageScan } from "@daos/control-client";
import { formatHostAddress } from "@daos/hostlist";
import type { web } from "@daos/proto";
import { faultDetail } from "@daos/rpc";
import { controllerMessage, namespaceMessage } from "./query-host.ts";

type HostStorageInit = MessageInitShape<typeof web.HostStorageSchema>;

/** Asks hosts for their storage hardware. A host that fails has a fault. */
export async function scanStorage(
  client: ControlClient,
): Promise<MessageInitShape<typeof web.ScanStorageRespSchema>> {
  const hosts: HostStorageInit[] = [];
  for await (const { host, outcome } of storageScan(client)) {
    const address = formatHostAddress(host);
    hosts.push(
      outcome.kind === "ok"
        ? { address, ...storageMessage(outcome.value) }
        : { address, faults: [faultDetail(outcome.fault)] },
    );
  }
  return { hosts: hosts.sort((a, b) => ((a.address ?? "") < (b.address ?? "") ? -1 : 1)) };
}

function storageMessage({ scm, nvme }: StorageScan): HostStorageInit {
  return {
    controllers: nvme.controllers.map(controllerMessage),
    namespaces: scm.namespaces.map(namespaceMessage),
    scmModules: scm.modules.length,
    scmBytes: scm.modules.reduce((sum, { capacityBytes }) => sum + BigInt(capacityBytes), 0n),
    faults: [scm.fault, nvme.fault].flatMap((fault) => (fault === undefined ? [] : faultDetail(fault))),
  };
}
