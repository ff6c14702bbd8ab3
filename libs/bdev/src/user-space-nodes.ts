import type { SysTree } from "@daos/sys";

const PCI_DEVICES = "/sys/bus/pci/devices";

/**
 * The device nodes through which a process drives a controller: the IOMMU group of vfio-pci, or the uio device. Empty while
 * the kernel drives it.
 */
export async function userSpaceNodes(sys: SysTree, address: string): Promise<readonly string[]> {
  const device = `${PCI_DEVICES}/${address}`;
  const driver = (await sys.resolve(`${device}/driver`))?.split("/").at(-1);
  if (driver === "vfio-pci") {
    const group = (await sys.resolve(`${device}/iommu_group`))?.split("/").at(-1);
    const cdevs = await sys.list(`${device}/vfio-dev`);
    return [
      ...(group === undefined ? [] : [`/dev/vfio/${group}`]),
      ...cdevs.map((name) => `/dev/vfio/devices/${name}`),
    ];
  }
  if (driver === "uio_pci_generic" || driver === "igb_uio") {
    return (await sys.list(`${device}/uio`)).map((name) => `/dev/${name}`);
  }
  return [];
}
