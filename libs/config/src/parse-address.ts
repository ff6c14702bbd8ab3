import { Fault } from "@daos/fault";
import { type HostAddress, parseHostAddress, parseHostList } from "@daos/hostlist";
import type { Report } from "./report.ts";

/**
 * Reads `access_points`. Invalid addresses are reported and left out. Entries that are `undefined` have been reported
 * already.
 */
export function readAddresses(
  texts: readonly (string | undefined)[],
  defaultPort: number,
  report: Report,
): readonly HostAddress[] {
  return texts.flatMap((text, index) => {
    if (text === undefined) return [];
    try {
      return [parseHostAddress(text, defaultPort)];
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      const message = error.reason ?? error.description;
      report(
        "error",
        `access_points[${index}]`,
        `${JSON.stringify(text)} is not an address: ${message}`,
        "host or host:port",
      );
      return [];
    }
  });
}

/** Reports a host list such as `node[1-8]:10001` that cannot be read. */
export function checkHostList(text: string, key: string, defaultPort: number, report: Report): void {
  try {
    parseHostList(text, defaultPort);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const message = error.reason ?? error.description;
    report(
      "error",
      key,
      `${JSON.stringify(text)} is not a host list: ${message}`,
      "hosts as in node[1-8,10]:10001",
    );
  }
}
