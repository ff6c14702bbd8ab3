import { faultUsage } from "../faults.ts";

/** The uuid of a pool in lower case. @throws Fault usage */
export function parsePoolUuid(text: string): string {
  const uuid = text.trim().toLowerCase();
  if (!/^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/.test(uuid)) {
    throw faultUsage(`"${text}" is not the uuid of a pool`, "list the pools with: dmg system list-pools");
  }
  return uuid;
}
