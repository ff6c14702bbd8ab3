declare const brand: unique symbol;

/** A PCI address in its full form, lower case: `0000:81:00.0`; behind a VMD, `5d0505:01:00.0`. */
export type PciAddress = string & { readonly [brand]: "PciAddress" };

/** The full form of a PCI address; undefined for other text. The domain may be omitted (`81:00.0`). */
export function parsePciAddress(text: string): PciAddress | undefined {
  const match = /^(?:([0-9a-f]{4,6}):)?([0-9a-f]{2}):([0-1][0-9a-f])\.([0-7])$/i.exec(text.trim());
  if (match === null) return undefined;
  const [, domain = "0000", bus, device, fn] = match;
  return `${domain}:${bus}:${device}.${fn}`.toLowerCase() as PciAddress;
}
