import { stringify } from "yaml";
import type { Policy } from "./policy.ts";

/** Renders a policy as the text of `daos_admin.yml`. */
export function renderPolicy(policy: Policy): string {
  const { mounts, pciAddresses, hugepages, scmPrepare, owners, logFile } = policy;
  const body = stringify({
    mounts: mounts.map(({ path, maxSizeGiB, devices }) => ({
      path,
      ...(maxSizeGiB === 0 ? {} : { max_size_gib: maxSizeGiB }),
      ...(devices.length === 0 ? {} : { devices }),
    })),
    pci_addresses: pciAddresses,
    hugepages,
    scm_prepare: scmPrepare,
    owners: owners.map(({ uid, gid }) => `${uid}:${gid}`),
    ...(logFile === undefined ? {} : { log_file: logFile }),
  });
  return `# What daos-admin may do for daos-server. Only root may write to this file. From ${policy.source}.\n${body}`;
}
