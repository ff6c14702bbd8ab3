import { parsePciAddress } from "@daos/bdev";
import { countOf, type Fault, toFault } from "@daos/fault";
import type { ScmStorage } from "@daos/scm";
import type { Owner } from "@daos/sys";
import { faultNotAllowed } from "../faults.ts";
import type { Policy } from "./policy.ts";

/** The caller's identity, which the launcher gets from the kernel. */
export interface Caller {
  readonly uid: number;
  readonly gid: number;
  readonly pid: number;
}

/** @throws Fault helperRefused when the policy does not name this mount point with this device or size */
export function authorizeStorage(policy: Policy, storage: ScmStorage): void {
  const attempted = `use SCM at ${storage.mount}`;
  const rule = policy.mounts.find(({ path }) => path === storage.mount);
  if (rule === undefined) {
    throw faultNotAllowed(
      attempted,
      "the policy does not name this mount point",
      policy.source,
      `let root add "- path: ${storage.mount}" to mounts in the helper's policy`,
    );
  }
  switch (storage.class) {
    case "ram":
      if (storage.sizeGiB > rule.maxSizeGiB) {
        throw faultNotAllowed(
          `${attempted} as a tmpfs of ${storage.sizeGiB} GiB`,
          `the policy allows ${rule.maxSizeGiB} GiB`,
          policy.source,
          `set a smaller scm_size, or let root raise max_size_gib of ${rule.path} in the helper's policy`,
        );
      }
      return;
    case "dcpm":
      if (!rule.devices.includes(storage.device)) {
        throw faultNotAllowed(
          `${attempted} on ${storage.device}`,
          "the policy does not name this device for this mount point",
          policy.source,
          `let root add ${storage.device} to devices of ${rule.path} in the helper's policy`,
        );
      }
  }
}

/**
 * The owner of formatted storage: the caller, unless the request names another user that the policy allows.
 *
 * @throws Fault helperRefused
 */
export function authorizeOwner(policy: Policy, caller: Caller, wanted: Owner | undefined): Owner {
  if (wanted === undefined) return { uid: caller.uid, gid: caller.gid };
  const allowed = [caller, ...policy.owners];
  if (allowed.some(({ uid, gid }) => uid === wanted.uid && gid === wanted.gid)) {
    return { uid: wanted.uid, gid: wanted.gid };
  }
  throw faultNotAllowed(
    `give storage to user ${wanted.uid}, group ${wanted.gid}`,
    "neither the caller nor one of the policy's owners",
    policy.source,
    `set user_name and group_name to the server's own, or let root add "${wanted.uid}:${wanted.gid}" to owners in the helper's policy`,
  );
}

/** @throws Fault helperRefused that lists every address that the policy does not name */
export function authorizeControllers(policy: Policy, addresses: readonly string[]): readonly string[] {
  const full = addresses.map((address) => parsePciAddress(address) ?? address);
  const foreign = full.filter((address) => !policy.pciAddresses.includes(address));
  if (foreign.length === 0) return full;
  throw faultNotAllowed(
    `use NVMe controller ${foreign.join(", ")}`,
    "the policy does not name it",
    policy.source,
    "let root add the address to pci_addresses in the helper's policy",
  );
}

/** The allowed controllers, in full form, and the refused ones, each with its fault. */
export function sortControllers(
  policy: Policy,
  addresses: readonly string[],
): {
  readonly allowed: readonly string[];
  readonly refused: readonly { readonly device: string; readonly fault: Fault }[];
} {
  const allowed: string[] = [];
  const refused: { readonly device: string; readonly fault: Fault }[] = [];
  for (const device of addresses) {
    try {
      allowed.push(...authorizeControllers(policy, [device]));
    } catch (error) {
      refused.push({ device, fault: toFault(error) });
    }
  }
  return { allowed, refused };
}

/** @throws Fault helperRefused */
export function authorizeHugepages(policy: Policy, pages: number): void {
  if (policy.hugepages > 0 && pages <= policy.hugepages) return;
  throw faultNotAllowed(
    `reserve ${countOf(pages, "hugepage")}`,
    `the policy allows ${policy.hugepages}`,
    policy.source,
    "ask for fewer (storage prepare -p, nr_hugepages), or let root raise hugepages in the helper's policy",
  );
}

/**
 * A reset frees hugepages. It needs the same permission as reserving them.
 *
 * @throws Fault helperRefused
 */
export function authorizeReset(policy: Policy): void {
  if (policy.hugepages > 0) return;
  throw faultNotAllowed(
    "reset NVMe controllers and free their hugepages",
    "the policy allows no hugepages",
    policy.source,
    "let root do it (sudo daos-server storage prepare --nvme-only --reset), or let root set hugepages in the helper's policy",
  );
}

/** @throws Fault helperRefused */
export function authorizeScmPrepare(policy: Policy, attempted: string): void {
  if (policy.scmPrepare) return;
  throw faultNotAllowed(
    attempted,
    "the policy does not allow to make and destroy SCM namespaces",
    policy.source,
    'let root do it (sudo daos-server storage prepare), or set "scm_prepare: true" in the helper\'s policy',
  );
}
