import { faultUsage } from "@daos/cli";

/**
 * Parses a uuid, in lower case.
 *
 * @param what the kind of object with the uuid, as in `a device`
 * @throws Fault usage
 */
export function parseUuid(text: string, what: string): string {
  const uuid = text.trim().toLowerCase();
  if (!/^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/.test(uuid)) {
    throw faultUsage(
      `"${text}" is not the uuid of ${what}`,
      RESOLUTIONS[what] ?? "give 32 hexadecimal digits in five groups",
    );
  }
  return uuid;
}

const RESOLUTIONS: Readonly<Record<string, string>> = {
  "a device": "list the devices with: dmg storage query list-devices",
};
