import { type HostAddress, sameAddress } from "@daos/hostlist";
import type { Member } from "@daos/member-store";
import type { Condition, EngineReport } from "./plan-transition.ts";

/** A host's report about its engines. */
export interface HostReport {
  /** Its control address, from which the report comes. */
  readonly host: HostAddress;
  /** The engines whose superblock the host has looked for. */
  readonly engines: readonly EngineReport[];
  /** The number of engines in its configuration; undefined when the report does not have it. */
  readonly configured: number | undefined;
}

/**
 * True when a report about an engine applies to the member. From another address than the recorded one, only a report
 * about the process that joined last applies: a copy of the storage has another incarnation, or none.
 */
export function isAbout(
  member: Pick<Member, "address" | "incarnation">,
  host: HostAddress,
  { incarnation }: Pick<EngineReport, "incarnation">,
): boolean {
  if (sameAddress(member.address, host)) return true;
  return incarnation !== 0 && incarnation === member.incarnation;
}

/** Why a reporting host has lost a member at its address; undefined when the report has no such reason. */
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

/** The new state of a member that its host has lost; undefined when nothing changes. */
export function planLoss(
  member: Pick<Member, "state" | "reason">,
  reason: string,
  busy: boolean,
): Condition | undefined {
  if (busy || member.state === "excluded" || member.state === "replaced") return undefined;
  return member.state === "errored" && member.reason === reason ? undefined : { state: "errored", reason };
}
