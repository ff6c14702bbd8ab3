import { type HostAddress, sameAddress } from "@daos/hostlist";
import type { Member } from "@daos/member-store";
import type { Condition, EngineReport } from "./plan-transition.ts";

/** What a host says of its engines. */
export interface HostReport {
  /** Its control address, from which the report comes. */
  readonly host: HostAddress;
  /** Those of which it knows whether they have an identity. */
  readonly engines: readonly EngineReport[];
  /** How many engines its configuration has; undefined when it does not say. */
  readonly configured: number | undefined;
}

/**
 * Whether what a host says of an engine counts for the member. From another address than the recorded one only the process
 * counts that has joined last: a copy of the storage has another incarnation, or none.
 */
export function isAbout(
  member: Pick<Member, "address" | "incarnation">,
  host: HostAddress,
  { incarnation }: Pick<EngineReport, "incarnation">,
): boolean {
  if (sameAddress(member.address, host)) return true;
  return incarnation !== 0 && incarnation === member.incarnation;
}

/** Why a member at the address of a reporting host is not there any more; undefined when the report does not say so. */
export function lossOf(
  { uuid, instance }: Pick<Member, "uuid" | "instance">,
  { engines, configured }: Omit<HostReport, "host">,
): string | undefined {
  if (engines.some((engine) => engine.uuid === uuid)) return undefined;
  if (instance === undefined) {
    if (configured === undefined || engines.length < configured) return undefined;
    return `its host has other engines: ${engines.map((engine) => engine.uuid ?? "one without a superblock").join(", ")}`;
  }
  if (configured !== undefined && instance >= configured)
    return `it was engine ${instance} of its host, whose configuration has ${configured} now`;
  const there = engines.find((engine) => engine.instance === instance);
  if (there === undefined) return undefined;
  if (there.uuid !== undefined)
    return `engine ${instance} of its host has another identity now: ${there.uuid}`;
  return `the storage of engine ${instance} of its host has no superblock: ${there.reason}`;
}

/** What becomes of a member whose host does not have it any more; undefined when nothing changes. */
export function planLoss(
  member: Pick<Member, "state" | "reason">,
  reason: string,
  busy: boolean,
): Condition | undefined {
  if (busy || member.state === "excluded" || member.state === "replaced") return undefined;
  return member.state === "errored" && member.reason === reason ? undefined : { state: "errored", reason };
}
