import { isAbsolute } from "node:path";
import { parsePciAddress } from "@daos/bdev";
import * as z from "zod";
import { faultPolicyInvalid } from "../faults.ts";
import { type Accounts, resolveOwner } from "./accounts.ts";
import { explain, parseYaml } from "./parse-policy.ts";
import type { MountRule, Policy } from "./policy.ts";

/** The storage settings of a server's configuration. The helper ignores all other settings. */
const schema = z.object({
  user_name: z.string().optional(),
  group_name: z.string().optional(),
  nr_hugepages: z.int().min(0).default(1024),
  bdev_include: z.array(z.string()).default([]),
  helper_log_file: z.string().optional(),
  servers: z
    .array(
      z.object({
        scm_mount: z.string(),
        scm_class: z.enum(["ram", "dcpm"]),
        scm_size: z.int().min(0).default(0),
        scm_list: z.array(z.string()).default([]),
        bdev_class: z.string().default("nvme"),
        bdev_list: z.array(z.string()).default([]),
      }),
    )
    .default([]),
});

/**
 * The default policy of an installation: exactly the storage of its server's configuration. It does not allow
 * namespaces to be created or destroyed, because that affects all persistent memory of the host.
 *
 * @throws Fault helperPolicyInvalid
 */
export function derivePolicy(text: string, source: string, accounts: Accounts): Policy {
  const parsed = schema.safeParse(parseYaml(text, source) ?? {});
  if (!parsed.success) throw faultPolicyInvalid(source, explain(parsed.error));
  const {
    user_name: user,
    group_name: group,
    servers,
    nr_hugepages,
    bdev_include,
    helper_log_file,
  } = parsed.data;
  const owner =
    user === undefined ? undefined : resolveOwner(group === undefined ? user : `${user}:${group}`, accounts);
  const nvme = servers.filter(({ bdev_class }) => bdev_class === "nvme");
  const addresses = [...bdev_include, ...nvme.flatMap(({ bdev_list }) => bdev_list)];
  return {
    source,
    mounts: servers.map(mountRule),
    pciAddresses: [...new Set(addresses.flatMap((address) => parsePciAddress(address) ?? []))],
    hugepages: nr_hugepages,
    scmPrepare: false,
    owners: owner === undefined ? [] : [owner],
    // A relative path depends on the server's current directory. The helper uses its default instead.
    logFile: helper_log_file !== undefined && isAbsolute(helper_log_file) ? helper_log_file : undefined,
  };
}

function mountRule(server: z.output<typeof schema>["servers"][number]): MountRule {
  return {
    path: server.scm_mount,
    maxSizeGiB: server.scm_class === "ram" ? server.scm_size : 0,
    devices: server.scm_class === "dcpm" ? server.scm_list : [],
  };
}
