import { randomUUID } from "node:crypto";
import { formatSize } from "@daos/cli";
import { type ControlClient, poolCreate } from "@daos/control-client";
import { countOf } from "@daos/fault";
import { sizesPerRank, type WantedSizes } from "./size-flags.ts";

/** A pool is slow when its SCM is a smaller share of its NVMe than this. */
const SCM_SHARE_PERCENT = 1n;

/** The requested pool. */
interface PoolRequest {
  readonly sizes: WantedSizes;
  /** Empty for none. */
  readonly label: string;
  /** All when empty. */
  readonly ranks: readonly number[];
  readonly svcReplicas: number;
  /** As `name@`. */
  readonly user: string;
  /** As `name@`. */
  readonly group: string;
  /** Entries that have been checked. */
  readonly acl: readonly string[];
}

/** Creates a pool. For a share of the storage it queries the sizes of the ranks. @returns the notes of dmg @throws Fault */
export async function createPool(client: ControlClient, system: string, request: PoolRequest) {
  const { sizes, label, ranks, svcReplicas: wanted, user, group, acl } = request;
  const { scmBytes, nvmeBytes, calculated } = await sizesPerRank(client, sizes, ranks);
  const { uuid, svcReplicas } = await poolCreate(client, {
    uuid: randomUUID(),
    label,
    scmBytes,
    nvmeBytes,
    ranks,
    svcReplicas: wanted,
    user,
    group,
    acl,
    system,
  });
  const notes = [
    ...(calculated
      ? [`per rank: ${formatSize(Number(scmBytes))} of SCM, ${formatSize(Number(nvmeBytes))} of NVMe`]
      : []),
    ...shareNotes(scmBytes, nvmeBytes),
    ...replicaNotes(svcReplicas.length, wanted),
  ];
  return { uuid, label, svcReplicas, scmBytes, nvmeBytes, user, group, notes };
}

function replicaNotes(came: number, wanted: number): readonly string[] {
  if (came >= wanted) return [];
  return [`warning: the pool has ${countOf(came, "service replica")}, ${wanted} were asked for`];
}

function shareNotes(scmBytes: bigint, nvmeBytes: bigint): readonly string[] {
  if (scmBytes * 100n >= nvmeBytes * SCM_SHARE_PERCENT) return [];
  const [scm, nvme] = [formatSize(Number(scmBytes)), formatSize(Number(nvmeBytes))];
  return [
    `warning: ${scm} of SCM is less than ${SCM_SHARE_PERCENT} % of ${nvme} of NVMe: the pool may be slow`,
  ];
}
