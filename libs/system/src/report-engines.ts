import type { Leadership } from "@daos/election";
import { formatHostAddress, type HostAddress } from "@daos/hostlist";
import type { HostReport as EngineReports } from "@daos/membership";

/** Maximum interval between the reports of a host, ms. */
const MAX_INTERVAL_MS = 60_000;
/** Minimum interval that counts before a host's new address is accepted, ms, even if it reports more often. */
const MIN_INTERVAL_MS = 1_000;
/** Maximum number of lines of one report that are kept. */
const MAX_WARNINGS = 32;
/** Maximum length of such a line, in characters: a message may have 4 MiB, and a thousand events are kept. */
const MAX_WARNING_LENGTH = 1024;

/** A host's report about its engines. */
export interface HostReport extends EngineReports {
  /** Time until its next report, ms. */
  readonly intervalMs: number;
  /** Its warnings about devices. */
  readonly warnings: readonly string[];
}

/** The leader's answer: what a server needs to know about the system. */
export interface ReportResult {
  /** Those that take part now. */
  readonly accessPoints: readonly HostAddress[];
  /** Absent while there is none. */
  readonly leader: HostAddress | undefined;
}

/**
 * Handles a server's report about its engines, on the leader.
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
  // A host that has taken the address of another one has no say about engines that report from their new address.
  const reported = membership
    .reportedBy(report)
    .filter(({ member, said }) => !("loss" in said) || failureDetector.elsewhereFor(member) === 0);
  const members = reported.map(({ member }) => member);
  // A recorded address is given up when no report has come from it for one report interval.
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
