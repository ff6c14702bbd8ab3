import type { ControlClient } from "@daos/control-client";
import { parsePoolLabel } from "@daos/pool-id";
import { parseRankList } from "@daos/rank";
import { createPool } from "../pool/create-pool.ts";
import { currentGroup, currentUser, toPrincipal } from "../pool/owner.ts";
import { parseSizes } from "../pool/size-flags.ts";

/** The fields of the page's form, as typed. An empty field means the default. */
interface PoolForm {
  readonly label: string;
  readonly scmSize: string;
  readonly nvmeSize: string;
  readonly ranks: string;
  readonly svcReplicas: number;
  readonly user: string;
  readonly group: string;
  readonly acl: readonly string[];
}

/** Creates a pool like `dmg pool create`. All fields are checked before a server is called. @throws Fault */
export async function createPoolOfPage(client: ControlClient, system: string, form: PoolForm) {
  const { label, scmSize, nvmeSize, ranks, svcReplicas, user, group, acl } = form;
  return createPool(client, system, {
    sizes: parseSizes({ "scm-size": scmSize, ...(nvmeSize === "" ? {} : { "nvme-size": nvmeSize }) }),
    label: label === "" ? "" : parsePoolLabel(label),
    ranks: ranks === "" ? [] : parseRankList(ranks),
    svcReplicas,
    user: toPrincipal(user === "" ? currentUser() : user),
    group: toPrincipal(group === "" ? await currentGroup() : group),
    acl,
  });
}
