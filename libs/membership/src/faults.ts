import { cleanText, Fault, FaultCode } from "@daos/fault";
import { formatHostAddress, type HostAddress } from "@daos/hostlist";
import type { Member } from "@daos/member-store";
import type { Rank } from "@daos/rank";
import { providerOf } from "./member-table.ts";

/** The stored member of an engine cannot be read, so it is unknown whether it was excluded. */
export function faultJoinUnreadable(uuid: string): Fault {
  return new Fault({
    domain: "system",
    code: FaultCode.memberUnreadable,
    description: `engine ${uuid} cannot join: its stored member cannot be read`,
    reason: "it may have been excluded",
    resolution:
      "look at it with daos-server members check; then stop the daos-server of every access point, and move it aside with " +
      "daos-server members repair",
  });
}

/** A new engine asks to join a system that has the maximum number of members. */
export function faultSystemFull(uuid: string, most: number): Fault {
  return new Fault({
    domain: "system",
    code: FaultCode.systemFull,
    description: `engine ${uuid} cannot join: the system has ${most} members, the maximum`,
    resolution: "forget engines that are gone for good with dmg system erase",
  });
}

/** An excluded engine asks to join. */
export function faultMemberExcluded(uuid: string, rank: Rank): Fault {
  return new Fault({
    domain: "system",
    code: FaultCode.memberExcluded,
    description: `engine ${uuid} (rank ${rank}) cannot join: an administrator has excluded it`,
    resolution: `let it join again with dmg system clear-exclude --ranks ${rank}, then dmg system start --ranks ${rank}`,
  });
}

/** An engine with the identity of a member asks to join from another host, while the member is in service. */
export function faultMemberElsewhere(uuid: string, from: HostAddress, member: Member): Fault {
  return new Fault({
    domain: "system",
    code: FaultCode.memberElsewhere,
    description: `engine ${uuid} cannot join from ${formatHostAddress(from)}`,
    reason: `rank ${member.rank} with that identity is in service on ${formatHostAddress(member.address)}`,
    resolution:
      "if storage was copied to this host, format it (dmg storage format --reformat); if the host has a new address, " +
      "it may join when its old address has sent no report for a while",
  });
}

/** The system has no such rank. */
export function faultMemberUnknown(rank: number): Fault {
  return new Fault({
    domain: "system",
    code: FaultCode.memberUnknown,
    description: `the system has no rank ${rank}`,
    resolution: "list the members with dmg system query",
  });
}

/** Ranks are given only when the engine that keeps the system map is known. */
export function faultNoReplicaYet(): Fault {
  return new Fault({
    domain: "system",
    code: FaultCode.systemNotReady,
    description: "no rank can be given yet: the engine of the first access point has not been in service",
    resolution:
      "format and start the first access point: dmg storage format, with --reformat where an erased system was before",
  });
}

/** An engine asks to join with another fabric provider than that of the engines in service. */
export function faultProviderMismatch(
  asking: { readonly uuid: string; readonly provider: string; readonly address: HostAddress },
  other: Member,
): Fault {
  const { uuid, address } = asking;
  const provider = cleanText(asking.provider, 64);
  const host = formatHostAddress(address);
  const expected = cleanText(providerOf(other.uri) ?? "", 64);
  return new Fault({
    domain: "system",
    code: FaultCode.providerMismatch,
    description: `engine ${uuid} cannot join from ${host} with the fabric provider ${provider}`,
    reason: `rank ${other.rank} on ${formatHostAddress(other.address)} is in service with ${expected}`,
    resolution:
      `set provider: ${expected} in the configuration of ${host}; to change the provider of the system, stop all ` +
      "engines (dmg system stop), change the configuration of every host, and start their servers again",
  });
}
