import type { SysTree } from "@daos/sys";
import { faultNotAllowed } from "../faults.ts";
import type { Policy } from "./policy.ts";

const PCI_DEVICES = "/sys/bus/pci/devices";
const HUGEPAGES =
  /^\/sys\/(?:devices\/system\/node\/node\d+|kernel\/mm)\/hugepages\/hugepages-2048kB\/nr_hugepages$/;
const DRIVER_FILES = /^\/sys\/bus\/pci\/devices\/([^/]+)\/(driver_override|driver\/unbind)$/;
const DRIVERS = new Set(["vfio-pci", "uio_pci_generic", "nvme", "\n", ""]);

/**
 * The kernel's files, restricted by the policy for the providers that change something. Only the NVMe controllers of
 * the policy are visible. Only their drivers and the number of hugepages can be written.
 */
export function policySysTree(tree: SysTree, policy: Policy): SysTree {
  const mine = (address: string) => policy.pciAddresses.includes(address);
  return {
    read: (path) => tree.read(path),
    resolve: (path) => tree.resolve(path),
    list: async (path) => {
      const names = await tree.list(path);
      return path === PCI_DEVICES ? names.filter(mine) : names;
    },
    write: async (path, value) => {
      if (!mayWrite(path, value, policy, mine)) {
        throw faultNotAllowed(
          `write ${JSON.stringify(value)} to ${path}`,
          "the policy does not allow it",
          policy.source,
          "let root add the controller to pci_addresses, or raise hugepages, in the helper's policy",
        );
      }
      await tree.write(path, value);
    },
  };
}

function mayWrite(path: string, value: string, policy: Policy, mine: (address: string) => boolean): boolean {
  if (path === "/proc/sys/vm/compact_memory") return policy.hugepages > 0 && value === "1";
  if (HUGEPAGES.test(path))
    return policy.hugepages > 0 && /^\d+$/.test(value) && Number(value) <= policy.hugepages;
  if (path === "/sys/bus/pci/drivers_probe") return mine(value);
  const [, address = "", file] = DRIVER_FILES.exec(path) ?? [];
  if (!mine(address)) return false;
  return file === "driver_override" ? DRIVERS.has(value) : value === address;
}
