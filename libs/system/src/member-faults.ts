import { Fault, FaultCode, toFault } from "@daos/fault";
import { formatHostAddress } from "@daos/hostlist";
import type { Member } from "@daos/member-store";
import type { Membership } from "@daos/membership";
import { isTimeout } from "@daos/sys";

/** The deadline of a step is a fault that names the host. */
export function faultOf(error: unknown, action: string, host: string): Fault {
  if (!isTimeout(error)) return toFault(error);
  return new Fault({
    domain: "system",
    code: FaultCode.timedOut,
    description: `${action} failed on ${host}`,
    reason: "no answer within the deadline",
    resolution: "check that the host is up, or allow more time with --timeout",
    cause: error,
  });
}

/** The caller has given up, so the outcome is unknown. */
export function faultCancelled(action: string, host: string, cause: unknown): Fault {
  return new Fault({
    domain: "system",
    code: FaultCode.cancelled,
    description: `${action} was not completed on ${host}`,
    reason: "the command was cancelled",
    resolution: "see with dmg system query what has been done, then repeat the command",
    cause,
  });
}

export function faultRunning({ rank, state }: Member): Fault {
  const unsure = state === "unresponsive" || state === "joining";
  return new Fault({
    domain: "system",
    code: FaultCode.memberRunning,
    description: `cannot erase rank ${rank}: it is ${state}`,
    resolution: unsure
      ? "if its host is lost for good, repeat with --lost"
      : `stop it first: dmg system stop --ranks ${rank}`,
  });
}

export function faultExcluded({ rank }: Member): Fault {
  return new Fault({
    domain: "system",
    code: FaultCode.memberExcluded,
    description: `cannot start rank ${rank}: an administrator has excluded it`,
    resolution: `let it join again first: dmg system clear-exclude --ranks ${rank}`,
  });
}

/** The host of a member does not have its storage. */
export function faultNotThere({ rank, address }: Member, cause: Fault): Fault {
  return new Fault({
    domain: "system",
    code: FaultCode.engineNotHere,
    description: `cannot erase rank ${rank}`,
    reason: `${formatHostAddress(address)} has no engine with that rank and identity`,
    resolution: "if its storage is lost for good, repeat with --lost; otherwise bring the storage back first",
    cause,
  });
}

export function faultReplaced({ rank, replacedBy, address }: Member): Fault {
  return new Fault({
    domain: "system",
    code: FaultCode.memberReplaced,
    description: `cannot start rank ${rank}: rank ${replacedBy} has replaced it on ${formatHostAddress(address)}`,
    reason: "its storage was formatted",
    resolution: `forget it: dmg system erase --ranks ${rank}`,
  });
}

export function faultNotJoined({ rank, uuid, address }: Member, membership: Membership): Fault {
  const now = membership.byUuid(uuid);
  const reason = now === undefined || now.reason === "" ? "" : `, ${now.reason}`;
  return new Fault({
    domain: "system",
    code: FaultCode.engineNotReady,
    description: `rank ${rank} was started and has not joined in time: it is ${now?.state ?? "forgotten"}${reason}`,
    resolution: `look in the server's log on ${formatHostAddress(address)}`,
  });
}
