import type { Leadership } from "@daos/election";
import { formatHostAddress, type HostAddress } from "@daos/hostlist";
import type { EngineReport } from "@daos/membership";

/** The longest time that a host may let pass between its reports, ms. */
const MAX_INTERVAL_MS = 60_000;
/** Lines of one report that are kept. */
const MAX_WARNINGS = 32;
/** Characters of such a line that are kept: a message may have 4 MiB, and a thousand events are kept. */
const MAX_WARNING_LENGTH = 1024;

/** What a host says of its engines. */
export interface HostReport {
  /** Its control address. */
  readonly host: HostAddress;
  readonly engines: readonly EngineReport[];
  /** Time until its next report, ms. */
  readonly intervalMs: number;
  /** What it has to say of its devices. */
  readonly warnings: readonly string[];
}

/** What a server should know of the system. */
export interface ReportResult {
  /** Those that take part now. */
  readonly accessPoints: readonly HostAddress[];
  /** Absent while there is none. */
  readonly leader: HostAddress | undefined;
}

/**
 * Takes what a server says of its engines, on the leader.
 *
 * @throws Fault notLeader, systemNotReady
 */
export async function reportEngines(
  leadership: Pick<Leadership, "membership" | "failureDetector" | "leader" | "accessPoints">,
  { host, engines, intervalMs, warnings }: HostReport,
): Promise<ReportResult> {
  const membership = leadership.membership();
  const address = formatHostAddress(host);
  // A host speaks for the engines that have joined on it, or it could have any number of others remembered.
  const uuids = engines
    .map(({ uuid }) => uuid)
    .filter((uuid) => {
      const member = membership.byUuid(uuid);
      return member !== undefined && formatHostAddress(member.address) === address;
    });
  leadership.failureDetector().reported(host, uuids, Math.min(intervalMs, MAX_INTERVAL_MS));
  await membership.report(host, engines);
  for (const warning of warnings.slice(0, MAX_WARNINGS))
    membership.events.add("device_warning", warning.slice(0, MAX_WARNING_LENGTH), { address: host });
  const { leader, accessPoints } = leadership;
  return { accessPoints: accessPoints.map((accessPoint) => accessPoint.address), leader };
}
