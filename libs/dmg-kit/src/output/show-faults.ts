import type { Fault } from "@daos/fault";
import { formatHostAddress, type HostAddress } from "@daos/hostlist";
import { groupHosts } from "./group-hosts.ts";

/** A failure, and the host it is about if it is about one. */
export interface HostFault {
  readonly host: HostAddress | undefined;
  readonly fault: Fault;
}

/** A failure in the `errors` of `--json`. */
export interface FaultJson {
  readonly hosts: readonly string[];
  readonly domain: string;
  readonly code: number;
  readonly description: string;
  readonly reason: string | null;
  readonly resolution: string;
}

/**
 * Failures as text for stderr, hosts with the same one together. For each: what failed, where, its code, and what the
 * operator can do.
 */
export function showFaults(failures: readonly HostFault[], what: string): string {
  const local = failures
    .filter(({ host }) => host === undefined)
    .map(({ fault }) => showFault("", fault.message, fault));
  const hosts = failures.flatMap(({ host, fault }) => (host === undefined ? [] : [{ host, value: fault }]));
  const groups = groupHosts(hosts, causeOf).map(({ label, value, hosts }) => {
    const text = hosts.length === 1 ? value.message : `${what}: ${value.reason ?? value.description}`;
    return showFault(`${label}: `, text, value);
  });
  return [...local, ...groups].join("\n");
}

/** Failures for `--json`, hosts with the same one together. */
export function faultsToJson(failures: readonly HostFault[]): readonly FaultJson[] {
  const groups = Map.groupBy(failures, ({ host, fault }) => (host === undefined ? fault : causeOf(fault)));
  return [...groups.values()].flatMap((members) => {
    const [first] = members;
    if (first === undefined) return [];
    const { domain, code, description, reason = null, resolution } = first.fault;
    const hosts = members.flatMap(({ host }) => (host === undefined ? [] : [formatHostAddress(host)]));
    return [{ hosts, domain, code, description, reason, resolution }];
  });
}

/** Equal for failures with the same cause, whichever host they are about. */
function causeOf({ domain, code, reason, description, resolution }: Fault): string {
  return JSON.stringify([domain, code, reason ?? description, resolution.replace(/\S+:\d+/g, "")]);
}

function showFault(head: string, text: string, fault: Fault): string {
  return `dmg: ${head}${text} (${fault.domain} ${fault.code})\n  ${fault.resolution.split("\n").join("\n  ")}`;
}
