import { Fault, FaultCode, hasCode } from "@daos/fault";
import { formatHostAddress, type HostAddress } from "@daos/hostlist";
import { formatRankSet, parseRank } from "@daos/rank";

/** A server asks for a call into the engine that no other server may make. */
export function faultNotForwarded(method: number): Fault {
  return new Fault({
    domain: "system",
    code: FaultCode.requestUnsupported,
    description: `method ${method} of the engine is not called for other hosts`,
    resolution: "run the same release on all access points",
  });
}

/** No access point has an engine that leads the data plane's management service. */
export function faultPoolServiceDown(
  accessPoints: readonly HostAddress[],
  refusals: readonly string[],
): Fault {
  const [first, ...others] = accessPoints.map(formatHostAddress);
  return new Fault({
    domain: "system",
    code: FaultCode.poolServiceDown,
    description: "the data plane's management service, which creates pools and lets engines join, is down",
    reason: refusals.join("; "),
    resolution: `bring back ${first} and its first engine (dmg system query, dmg system start): engines of release 0.8.0 run that service on the first access point only, and ${others.join(", ")} cannot take it over; members, commands and clients go on without it`,
  });
}

/** The engine has not answered in time; its host has. */
export function faultEngineHangs(rank: number, waitedMs: number, cause: unknown): Fault {
  return new Fault({
    domain: "engine",
    code: FaultCode.engineNotReady,
    description: `cannot prepare rank ${rank} for shutdown`,
    reason: `the engine has not answered within ${Math.round(waitedMs / 100) / 10} s`,
    resolution: "look in the engine's log (log_file); dmg system stop kills it nevertheless",
    cause,
  });
}

/** A pool is to be on ranks that do not exist. */
export function faultNoSuchRanks(ranks: readonly number[]): Fault {
  return new Fault({
    domain: "system",
    code: FaultCode.memberUnknown,
    description: `the system has no rank ${formatRankSet(ranks.map((rank) => parseRank(rank)))}`,
    resolution: "list the ranks with: dmg system query",
  });
}

/** The store takes no writes, so nothing was stopped. Any other failure is returned as it is. */
export function faultNotRecorded(cause: unknown): unknown {
  if (!hasCode(cause, FaultCode.memberStoreUnusable)) return cause;
  return new Fault({
    domain: "system",
    code: FaultCode.stateNotRecorded,
    description: "the state of the engines cannot be recorded, so none was stopped",
    reason: cause.message,
    resolution: `to stop them nevertheless: dmg system stop --force; to repair the store: ${cause.resolution}`,
    cause,
  });
}
