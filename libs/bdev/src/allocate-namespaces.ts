import type { BdevStorage, NvmeController } from "./bdev-types.ts";
import { parsePciAddress } from "./pci-address.ts";

/** A namespace and the engine it serves. */
export interface NamespaceAllocation {
  readonly pciAddress: string;
  readonly namespaceId: number;
  /** In bytes. */
  readonly size: bigint;
  readonly numaNode: number;
  /** The index of the engine; undefined for a namespace that no engine is configured to use. */
  readonly engine: number | undefined;
}

/** The index of the engine that a controller serves by the configuration; undefined for none. */
export function engineOf(
  { pciAddress }: Pick<NvmeController, "pciAddress">,
  engines: readonly { readonly index: number; readonly bdev: BdevStorage }[],
): number | undefined {
  return engines.find(
    ({ bdev }) =>
      bdev.class === "nvme" && bdev.list.some((entry) => (parsePciAddress(entry) ?? entry) === pciAddress),
  )?.index;
}

/** The configuration decides which namespace serves which engine. An engine takes all namespaces of its controllers. */
export function allocateNamespaces(
  controllers: readonly NvmeController[],
  engines: readonly { readonly index: number; readonly bdev: BdevStorage }[],
): readonly NamespaceAllocation[] {
  return controllers.flatMap(({ pciAddress, numaNode, namespaces }) => {
    const engine = engineOf({ pciAddress }, engines);
    return namespaces.map(({ id, size }) => ({
      pciAddress,
      namespaceId: id,
      size,
      numaNode,
      engine,
    }));
  });
}
