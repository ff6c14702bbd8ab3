import { type Fault, FaultCode } from "@daos/fault";

/**
 * The exit codes of dmg, which scripts depend on. A number never changes; new ones are appended. @see
 * docs/exit-codes.md
 */
export const ExitCode = {
  ok: 0,
  unexpected: 1,
  usage: 2,
  config: 3,
  connection: 4,
  certificate: 5,
  someHosts: 6,
  allHosts: 7,
  refused: 8,
  timedOut: 9,
  cancelled: 130,
} as const;

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

const BY_FAULT: ReadonlyMap<number, ExitCode> = new Map<number, ExitCode>([
  [FaultCode.usage, ExitCode.usage],
  [FaultCode.hostlistInvalid, ExitCode.usage],
  [FaultCode.rankInvalid, ExitCode.usage],
  [FaultCode.sizeInvalid, ExitCode.usage],
  [FaultCode.aclInvalid, ExitCode.usage],
  [FaultCode.poolLabelInvalid, ExitCode.usage],
  [FaultCode.configNotFound, ExitCode.config],
  [FaultCode.configUnreadable, ExitCode.config],
  [FaultCode.configInvalid, ExitCode.config],
  [FaultCode.connectionRefused, ExitCode.connection],
  [FaultCode.connectionFailed, ExitCode.connection],
  [FaultCode.connectionLost, ExitCode.connection],
  [FaultCode.requestNotTaken, ExitCode.connection],
  [FaultCode.gatewayFailed, ExitCode.connection],
  [FaultCode.hostUnknown, ExitCode.connection],
  [FaultCode.hostUnreachable, ExitCode.connection],
  [FaultCode.notDaosServer, ExitCode.connection],
  [FaultCode.certificateRefused, ExitCode.certificate],
  [FaultCode.hostsFailed, ExitCode.allHosts],
  [FaultCode.timedOut, ExitCode.timedOut],
  [FaultCode.cancelled, ExitCode.cancelled],
  [FaultCode.archiveNotWritten, ExitCode.unexpected],
  [FaultCode.internal, ExitCode.unexpected],
]);

/** The exit code of one failure. What a host refuses or fails to do is {@link ExitCode.refused}. */
function exitCodeOf(fault: Fault): ExitCode {
  return BY_FAULT.get(fault.code) ?? (fault.domain === "security" ? ExitCode.certificate : ExitCode.refused);
}

/** The exit code of a command, from its failures and whether a part of it succeeded. */
export function exitCodeOfAll(faults: readonly Fault[], anySucceeded: boolean): ExitCode {
  const codes = new Set(faults.map(exitCodeOf));
  const [only] = codes;
  if (only === undefined) return ExitCode.ok;
  if (codes.has(ExitCode.cancelled)) return ExitCode.cancelled;
  if (anySucceeded) return ExitCode.someHosts;
  return codes.size === 1 ? only : ExitCode.allHosts;
}
