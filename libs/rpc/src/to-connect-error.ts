import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import {
  cleanText,
  daosStatusNumber,
  Fault,
  type FaultAudience,
  FaultCode,
  faultForPeer,
  MAX_PEER_TEXT,
  showResolution,
  toFault,
} from "@daos/fault";
import { ctl } from "@daos/proto";

/**
 * The gRPC status of a failed call, for servers. The typed detail lets {@link fromConnectError} restore the fault; the
 * message is what a client of release 0.8.0 prints. Any other error is first turned into a fault. `faultForPeer` cuts
 * and cleans the texts for the peer. The text of a `ConnectError` is cut and cleaned too, and the rest of it is
 * unchanged.
 */
export function toConnectError(error: unknown, audience: FaultAudience = "peer"): ConnectError {
  if (error instanceof ConnectError) return shorten(error);
  const fault = fittingFault(endOfWait(error) ?? toFault(error), audience);
  return new ConnectError(
    showStatus(fault),
    grpcCode(fault.code),
    undefined,
    [{ desc: ctl.FaultDetailSchema, value: faultDetail(fault) }],
    error,
  );
}

/**
 * The most that a status takes in the headers of an answer, bytes. Clients of gRPC's library in C, those in Python and C++, lose the
 * status of an answer whose headers have more than 8 KiB.
 */
const MAX_STATUS_BYTES = 7 * 1024;

/** The text of a status is never cut to less, in characters. */
const MIN_STATUS_TEXT = 128;

/** The fault for a peer. Long texts are cut more when their characters have several bytes, to leave room for the status. */
function fittingFault(fault: Fault, audience: FaultAudience): Fault {
  for (const length of [MAX_PEER_TEXT, 512]) {
    const cut = faultForPeer(fault, audience, length);
    if (statusBytes(startOf(cut, MIN_STATUS_TEXT), cut) <= MAX_STATUS_BYTES) return cut;
  }
  return faultForPeer(fault, audience, 256);
}

/** The text of a status. It is cut when the texts of the fault are long: the detail has them all. */
function showStatus(fault: Fault): string {
  const whole = `${fault}\n${showResolution(fault)}`;
  if (statusBytes(whole, fault) <= MAX_STATUS_BYTES) return whole;
  const lengths = [1024, 512, 256];
  const fitting = lengths.find((length) => statusBytes(startOf(fault, length), fault) <= MAX_STATUS_BYTES);
  return startOf(fault, fitting ?? MIN_STATUS_TEXT);
}

/** The first characters of a fault, as one line. */
function startOf(fault: Fault, length: number): string {
  return cleanText(`${fault}`.replaceAll("\n", " "), length);
}

/** What `grpc-message` and `grpc-status-details-bin`, which repeats the message in base64, take at most. */
function statusBytes(message: string, { description, reason = "", resolution, leader = "" }: Fault): number {
  const binary = [message, description, reason, resolution, leader].map(
    (text) => Buffer.byteLength(text) + 16,
  );
  const base64 = (binary.reduce((sum, bytes) => sum + bytes, 64) * 4) / 3;
  return encodeURIComponent(message).length + base64;
}

/** Connect's own errors repeat parts of the request. Errors that carry a fault were made here, with clean texts. */
function shorten(error: ConnectError): ConnectError {
  if (error.details.length > 0) return error;
  return new ConnectError(cleanText(error.rawMessage, MAX_PEER_TEXT), error.code, error.metadata, [], error);
}

/** A fault as a message. */
export function faultDetail(fault: Fault): MessageInitShape<typeof ctl.FaultDetailSchema> {
  const { domain, code, description, reason = "", resolution, leader = "" } = fault;
  return { domain, code, description, reason, resolution, leader };
}

/** A deadline or a cancellation inside the server keeps its meaning. */
function endOfWait(error: unknown): Fault | undefined {
  if (!(error instanceof DOMException)) return undefined;
  const options = { domain: "general", description: error.message, cause: error } as const;
  if (error.name === "TimeoutError") {
    return new Fault({
      ...options,
      code: FaultCode.timedOut,
      resolution: "check that every rank is up, then try again with a longer --timeout",
    });
  }
  if (error.name === "AbortError") {
    return new Fault({ ...options, code: FaultCode.cancelled, resolution: "repeat the request" });
  }
  return undefined;
}

const status = (name: string) => -daosStatusNumber(name);

/** gRPC codes for fault codes, for clients that do not read the detail; the default is `Unknown`. */
const GRPC_CODES: readonly (readonly [Code, readonly number[]])[] = [
  [Code.Canceled, [FaultCode.cancelled, status("CANCELED")]],
  [
    Code.InvalidArgument,
    [
      FaultCode.usage,
      FaultCode.requestInvalid,
      FaultCode.scmFormatInvalidParameter,
      FaultCode.bdevFormatInvalidParameter,
      FaultCode.networkUnknownInterface,
      FaultCode.networkUnsupportedProvider,
      FaultCode.hostlistInvalid,
      FaultCode.rankInvalid,
      FaultCode.sizeInvalid,
      FaultCode.aclInvalid,
      FaultCode.poolLabelInvalid,
      status("INVAL"),
    ],
  ],
  [Code.DeadlineExceeded, [FaultCode.timedOut, status("TIMEDOUT")]],
  [Code.NotFound, [FaultCode.memberUnknown, FaultCode.serviceUnknown, status("NONEXIST"), status("ENOENT")]],
  [
    Code.AlreadyExists,
    [
      FaultCode.storageAlreadyFormatted,
      FaultCode.storageFilesystemAlreadyMounted,
      FaultCode.storageDeviceAlreadyMounted,
      FaultCode.memberConflict,
      FaultCode.memberElsewhere,
      FaultCode.poolLabelTaken,
      FaultCode.poolExists,
      status("EXIST"),
      status("ALREADY"),
    ],
  ],
  [
    Code.PermissionDenied,
    [FaultCode.securityUnknown, FaultCode.notAuthorized, FaultCode.helperRefused, status("NO_PERM")],
  ],
  [
    Code.ResourceExhausted,
    [
      FaultCode.requestTooLarge,
      FaultCode.systemFull,
      FaultCode.connectionLimit,
      status("NOSPACE"),
      status("NOMEM"),
    ],
  ],
  [
    Code.FailedPrecondition,
    [
      FaultCode.notLeader,
      FaultCode.notAccessPoint,
      FaultCode.otherSystem,
      FaultCode.engineNotHere,
      FaultCode.storageFormatOnRunningSystem,
      FaultCode.storageNotMounted,
      FaultCode.missingSoftwareDependency,
      FaultCode.superblockMissing,
      FaultCode.memberExcluded,
      FaultCode.memberUnreadable,
      FaultCode.memberStoreReplaced,
      FaultCode.stateNotRecorded,
      FaultCode.poolServiceDown,
      FaultCode.providerMismatch,
      FaultCode.memberReplaced,
      FaultCode.memberRunning,
      status("NOTLEADER"),
      status("NOTREPLICA"),
      status("BUSY"),
    ],
  ],
  [
    Code.Unavailable,
    [
      FaultCode.systemNotReady,
      FaultCode.leadershipLost,
      FaultCode.electionUnreachable,
      FaultCode.engineNotReady,
      FaultCode.engineNotRunning,
      FaultCode.engineExited,
      FaultCode.drpcConnect,
      FaultCode.drpcConnectionLost,
      FaultCode.helperUnavailable,
      status("UNREACH"),
      status("AGAIN"),
      status("SHUTDOWN"),
    ],
  ],
  [Code.Unimplemented, [FaultCode.requestUnsupported, status("NOSYS")]],
  [Code.Internal, [FaultCode.internal]],
];

const byFault = new Map(
  GRPC_CODES.flatMap(([code, faults]) => faults.map((fault) => [fault, code] as const)),
);

function grpcCode(faultCode: number): Code {
  return byFault.get(faultCode) ?? Code.Unknown;
}
