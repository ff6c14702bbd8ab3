import { Fault, FaultCode } from "@daos/fault";

const UNITS = ["", "K", "M", "G", "T", "P", "E"];
const MAX = 2n ** 63n - 1n;

/**
 * Reads a size such as `1G`, `500MB`, `1.5TiB` or `4096`. Units are powers of 1024 in every spelling, as in release
 * 0.8.0.
 *
 * @returns bytes
 * @throws Fault sizeInvalid
 * @see DAOS 0.8.0 src/control/cmd/dmg/pool.go getSize
 */
export function parseSize(text: string): bigint {
  const match = /^\s*(\d{1,19})(?:\.(\d{1,9}))?\s*([KMGTPE]?)(?:I?B)?\s*$/i.exec(text);
  if (match === null) throw faultSize(`"${text}" is not a size`);
  const [, whole = "0", fraction = "", unit = ""] = match;
  const factor = 1024n ** BigInt(UNITS.indexOf(unit.toUpperCase()));
  const parts = BigInt(10 ** fraction.length);
  const bytes = BigInt(whole) * factor + (fraction === "" ? 0n : (BigInt(fraction) * factor) / parts);
  if (bytes > MAX) throw faultSize(`the size "${text}" is larger than any system`);
  return bytes;
}

/** The fault of a size that is not readable or not sensible. */
export function faultSize(
  description: string,
  resolution = "write a number and a unit of 1024: 500MB, 1.5G, 2TB; a number without a unit is bytes; a share of the storage is 10%",
): Fault {
  return new Fault({
    domain: "client",
    code: FaultCode.sizeInvalid,
    description,
    resolution,
  });
}
