import { Fault, FaultCode } from "@daos/fault";
import { formatRankSet, type Rank } from "@daos/rank";

/** NotifyReady with an index that no engine of this host has. */
export function faultUnknownIndex(index: number, count: number): Fault {
  return new Fault({
    domain: "engine",
    code: FaultCode.engineNotHere,
    description: `an engine says it is number ${index}, but this host has ${count} (numbered from 0)`,
    resolution:
      "stop engines that this server has not started, and check that no two servers share a socket_dir",
  });
}

/** A call for a rank that none of this host's engines has. */
export function faultRankNotHere(rank: number, here: readonly Rank[]): Fault {
  const ranks = here.length === 0 ? "no engine with a rank" : `rank ${formatRankSet(here)}`;
  return new Fault({
    domain: "system",
    code: FaultCode.engineNotHere,
    description: `rank ${rank} is not on this host, which has ${ranks}`,
    resolution: "find the rank's host with dmg system member-query",
  });
}

/** A call for a rank that may be in storage that is still being opened. */
export function faultNotOpened(rank: number, indexes: readonly number[]): Fault {
  return new Fault({
    domain: "system",
    code: FaultCode.engineNotReady,
    description: `it is not known whether rank ${rank} is on this host: the storage of engine ${indexes.join(", ")} is still being opened`,
    resolution: "repeat the command; if it stays so, see whether the host's devices answer (dmesg)",
  });
}

/** A call for the management service on a host where none of the engines runs a replica of it. */
export function faultNoReplica(): Fault {
  return new Fault({
    domain: "system",
    code: FaultCode.notAccessPoint,
    description: "no engine of this host has a replica of the management service in service",
    resolution:
      "dmg system query shows which engines of the access points do not run, and dmg system start starts them",
  });
}

/** A call means one engine by its rank, and another one has it. */
export function faultOtherEngine(rank: number, asked: string): Fault {
  return new Fault({
    domain: "system",
    code: FaultCode.engineNotHere,
    description: `rank ${rank} with the identity ${asked} is not on this host`,
    reason: "its engine with that rank has another identity, or is not formatted",
    resolution: "find the rank with dmg system query --verbose",
  });
}
