import { type PciAddress, parsePciAddress } from "./pci-address.ts";

/** The controllers that the operator has selected. */
export interface ControllerSelection {
  /**
   * Addresses separated by white space, as `storage prepare --pci-whitelist` takes them; all controllers when it is
   * undefined or blank. An invalid address is skipped; when none is left, no controller is selected.
   */
  readonly whitelist?: string | undefined;
  /** The configuration's `bdev_include` (all when empty) and `bdev_exclude`. */
  readonly include?: readonly string[] | undefined;
  readonly exclude?: readonly string[] | undefined;
}

/** The reason why a controller is not selected; undefined when it is selected. */
export function whyNotSelected(address: string, selection: ControllerSelection): string | undefined {
  const { whitelist = "", include = [], exclude = [] } = selection;
  const words = whitelist.split(/\s+/).filter((word) => word !== "");
  if (words.length > 0 && !addresses(words).includes(address as PciAddress))
    return "it is not in the whitelist";
  if (include.length > 0 && !addresses(include).includes(address as PciAddress))
    return "it is not in bdev_include";
  if (addresses(exclude).includes(address as PciAddress)) return "it is in bdev_exclude";
  return undefined;
}

/** True for a controller that the whitelist or bdev_include names by its address. */
export function isNamed(address: string, { whitelist = "", include = [] }: ControllerSelection): boolean {
  return addresses([...whitelist.split(/\s+/), ...include]).includes(address as PciAddress);
}

function addresses(words: readonly string[]): readonly PciAddress[] {
  return words.flatMap((word) => parsePciAddress(word) ?? []);
}
