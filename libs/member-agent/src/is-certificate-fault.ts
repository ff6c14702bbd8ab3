import { type Fault, FaultCode } from "@daos/fault";

const CODES: ReadonlySet<number> = new Set([
  FaultCode.securityFileMissing,
  FaultCode.securityFileUnreadable,
  FaultCode.securityFileMode,
  FaultCode.securityFileMalformed,
  FaultCode.securityKeyMismatch,
  FaultCode.certificateExpired,
  FaultCode.certificateNotYetValid,
  FaultCode.certificateWrongAuthority,
  FaultCode.certificateWrongName,
  FaultCode.certificateWrongRole,
  FaultCode.certificateMissing,
  FaultCode.certificateTooWeak,
  FaultCode.certificateRefused,
  FaultCode.certificateRevoked,
  FaultCode.revocationListUnusable,
  FaultCode.tlsFailed,
]);

/** True for a fault of a certificate, of its files, or of the clock that its dates are checked with, on either side. */
export function isCertificateFault({ code }: Fault): boolean {
  return CODES.has(code);
}
