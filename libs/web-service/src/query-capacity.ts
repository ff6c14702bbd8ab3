import type { MessageInitShape } from "@bufbuild/protobuf";
import { type ControlClient, type EngineUsage, storageUsage, systemMemberQuery } from "@daos/control-client";
import type { Fault } from "@daos/fault";
import { parseHostAddress } from "@daos/hostlist";
import type { web } from "@daos/proto";
import { faultDetail } from "@daos/rpc";

/** Asks every host with members for the use of its storage. A host that fails is counted. @throws Fault of the leader */
export async function queryCapacity(
  client: ControlClient,
): Promise<MessageInitShape<typeof web.QueryCapacityRespSchema>> {
  const addresses = new Set((await systemMemberQuery(client)).map(({ address }) => address));
  const hosts = [...addresses].map((address) => parseHostAddress(address));
  const sum = { hostsAnswered: 0, hostsFailed: 0, scmTotal: 0n, scmAvailable: 0n, nvmeTotal: 0n };
  let first: Fault | undefined;
  for await (const { outcome } of storageUsage(client.to(hosts))) {
    if (outcome.kind === "failed") {
      sum.hostsFailed++;
      first ??= outcome.fault;
      continue;
    }
    sum.hostsAnswered++;
    for (const engine of outcome.value) first = add(sum, engine) ?? first;
  }
  return first === undefined ? sum : { ...sum, fault: faultDetail(first) };
}

/** @returns why parts of the answer are unknown */
function add(
  sum: { scmTotal: bigint; scmAvailable: bigint; nvmeTotal: bigint },
  { scm, nvme }: EngineUsage,
): Fault | undefined {
  if (scm.kind === "known") {
    sum.scmTotal += scm.totalBytes;
    sum.scmAvailable += scm.availableBytes;
  }
  if (nvme.kind === "known") sum.nvmeTotal += nvme.totalBytes;
  if (scm.kind === "unknown") return scm.fault;
  return nvme.kind === "unknown" ? nvme.fault : undefined;
}
