import type { Leadership } from "@daos/election";
import { formatHostAddress, type HostAddress } from "@daos/hostlist";
import type { HostReport as EngineReports } from "@daos/membership";

/** The longest time that a host may let pass between its reports, ms. */
const MAX_INTERVAL_MS = 60_000;
/** A host that reports more often than this is not believed any sooner to have a new address, ms. */
const MIN_INTERVAL_MS = 1_000;
/** Lines of one report that are kept. */
const MAX_WARNINGS = 32;
/** Characters of such a line that are kept: a message may have 4 MiB, and a thousand events are kept. */
const MAX_WARNING_LENGTH = 1024;

/** What a host says of its engines. */
export interface HostReport extends EngineReports {
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
  report: HostReport,
): Promise<ReportResult> {
  const { host, warnings } = report;
  const membership = leadership.membership();
  const failureDetector = leadership.failureDetector();
  const intervalMs = Math.min(report.intervalMs, MAX_INTERVAL_MS);
  // A host that has taken the address of another one says nothing of the engines that report from their new address.
  const reported = membership
    .reportedBy(report)
    .filter(({ member, said }) => !("loss" in said) || failureDetector.elsewhereFor(member) === 0);
  const members = reported.map(({ member }) => member);
  // An address is given up when nothing has come from it for as long as it takes a host to report.
  const here = formatHostAddress(host);
  const moved = members.filter(
    (member) =>
      formatHostAddress(member.address) !== here &&
      failureDetector.elsewhereFor(member) > Math.max(intervalMs, MIN_INTERVAL_MS),
  );
  failureDetector.reported(host, members, intervalMs);
  await membership.report(report, { reported, moved: moved.map(({ uuid }) => uuid) });
  for (const warning of warnings.slice(0, MAX_WARNINGS))
    membership.events.add("device_warning", warning.slice(0, MAX_WARNING_LENGTH), { address: host });
  const { leader, accessPoints } = leadership;
  return { accessPoints: accessPoints.map((accessPoint) => accessPoint.address), leader };
}
