import type { ScmModule } from "./scm-types.ts";

/** The ipmctl arguments whose output {@link parseModules} reads. */
export const SHOW_MODULES = [
  "show",
  "-o",
  "nvmxml",
  "-d",
  "PhysicalID,SocketID,MemControllerID,ChannelID,ChannelPos,Capacity",
  "-dimm",
] as const;

/**
 * Reads the modules in ipmctl's XML, in the order of the answer. A module looks like
 * `<Dimm><DimmID>0x0001</DimmID><Capacity>502.599 GiB</Capacity><PhysicalID>0x001e</PhysicalID>...</Dimm>`, flat
 * elements without attributes, so that no general XML reader is needed.
 *
 * @throws Error when the text has no list of modules
 * @see DAOS src/control/server/storage/scm/ipmctl_dimm.go
 */
export function parseModules(xml: string): readonly ScmModule[] {
  return elements(xml, "DimmList", "Dimm").map((fields) => ({
    physicalId: toNumber(fields.get("PhysicalID")),
    socket: toNumber(fields.get("SocketID")),
    memoryController: toNumber(fields.get("MemControllerID")),
    channel: toNumber(fields.get("ChannelID")),
    channelPosition: toNumber(fields.get("ChannelPos")),
    capacity: parseCapacity(fields.get("Capacity") ?? ""),
  }));
}

/** The fields of each `item` in ipmctl's XML. @throws Error when there is no `list` element */
function elements(xml: string, list: string, item: string): readonly ReadonlyMap<string, string>[] {
  if (!new RegExp(`<${list}\\s*/?>`).test(xml)) {
    throw new Error(`there is no <${list}> in "${xml.trim().slice(0, 120)}"`);
  }
  return [...xml.matchAll(new RegExp(`<${item}>(.*?)</${item}>`, "gs"))].map(
    ([, body = ""]) =>
      new Map(
        [...body.matchAll(/<(\w+)>([^<]*)<\/\1>/g)].map(([, name = "", value = ""]) => [name, value.trim()]),
      ),
  );
}

/** The administrator of ipmctl chooses its unit (CLI_DEFAULT_SIZE). */
const UNITS: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KIB: 2 ** 10,
  MIB: 2 ** 20,
  GIB: 2 ** 30,
  TIB: 2 ** 40,
};

/** Bytes of ipmctl's sizes: `502.599 GiB`, `135.7 GB`, `135694123008 B`. 0 for text that is not a size. */
export function parseCapacity(text: string): bigint {
  const [, number, unit] = /^(\d{1,15}(?:\.\d{1,9})?)\s*([KMGT]?i?B)$/i.exec(text.trim()) ?? [];
  return BigInt(Math.round(Number(number ?? 0) * (UNITS[(unit ?? "B").toUpperCase()] ?? 1)));
}

/** True for the text that ipmctl prints, with exit status 1, on a machine without modules. */
export function saysNoModules(output: string): boolean {
  return /no pmem modules in the system|no dimms? in the system|no functional dimm/i.test(output);
}

function toNumber(text: string | undefined): number {
  const number = Number(text ?? 0);
  return Number.isSafeInteger(number) ? number : 0;
}
