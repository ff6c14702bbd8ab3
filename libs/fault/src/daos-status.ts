import { Fault } from "./fault.ts";

interface StatusText {
  readonly meaning: string;
  readonly resolution: string;
}

const LOOK_IN_ENGINE_LOG = "look in the engine's log (log_file in the server's configuration)";

/** The GURT block starts at 1001, in the order of the data plane's headers. */
const GURT: readonly (readonly [string, string, string?])[] = [
  ["NO_PERM", "permission denied", "use a user or group that the pool's access control list allows"],
  ["NO_HDL", "invalid handle"],
  ["INVAL", "invalid parameter", "check the values given"],
  ["EXIST", "it exists already", "choose another uuid, rank or name, or remove the existing one first"],
  ["NONEXIST", "it does not exist", "list what there is and check the identifier"],
  ["UNREACH", "a node cannot be reached", "check that every rank is up: dmg system member-query"],
  ["NOSPACE", "no space left on the storage target", "use smaller sizes, or destroy pools to free space"],
  ["ALREADY", "the operation has been done already", "nothing needs to be done"],
  ["NOMEM", "out of memory", "free memory on the storage host, or give the engine fewer targets"],
  ["NOSYS", "the engine does not support this function"],
  ["TIMEDOUT", "timed out", "check that every rank is up, then try again"],
  ["BUSY", "in use", "wait until clients have disconnected, or use force where the command has it"],
  ["AGAIN", "not possible at the moment", "try again"],
  [
    "PROTO",
    "the peers do not agree on the protocol or the state",
    "check that all hosts run the same release",
  ],
  ["UNINIT", "not initialized", "wait until the engine is ready, then try again"],
  ["TRUNC", "the buffer is too short"],
  ["OVERFLOW", "the data is too long", "use fewer or shorter values"],
  ["CANCELED", "canceled"],
  ["OOG", "out of group or group list"],
  [
    "HG",
    "failure of the transport layer",
    "check the fabric provider and interface in the server's configuration",
  ],
  ["UNREG", "the RPC is not registered", "check that all hosts run the same release"],
  [
    "ADDRSTR_GEN",
    "no address string could be made",
    "check the fabric interface in the server's configuration",
  ],
  ["PMIX", "failure of PMIx"],
  ["IVCB_FORWARD", "an incast variable cannot be handled here"],
  ["MISC", "miscellaneous failure"],
  ["BADPATH", "bad path name", "check the path"],
  ["NOTDIR", "not a directory", "check the path"],
  ["CORPC_INCOMPLETE", "a collective call did not reach every rank", "check that every rank is up"],
  ["NO_RAS_RANK", "no rank subscribes to failures"],
  ["NOTATTACH", "the service group is not attached", "check that the system is up"],
  ["MISMATCH", "versions differ", "check that all hosts run the same release"],
  ["EVICTED", "the rank has been evicted", "restart the engine so that it joins again"],
  ["NOREPLY", "no reply", "check that every rank is up"],
  ["DOS", "the server refuses service for now", "try again later"],
  [
    "BAD_TARGET",
    "the call reached an engine or a thread that it was not meant for",
    "check that no two engines have the same fabric address, and that each target number is below the engine's targets",
  ],
  [
    "GRPVER",
    "the ranks do not have the same version of the group map: one of them has started again and has not joined since",
    "wait until dmg system query shows every rank as joined, then try again once; if it stays so, restart the rank that " +
      "started last (dmg system stop --ranks N, dmg system start --ranks N)",
  ],
];

/** The DAOS block starts at 2001. */
const DAOS: readonly (readonly [string, string, string?])[] = [
  ["IO", "generic I/O error", "check the health of the devices: dmg storage query nvme-health"],
  ["FREE_MEM", "memory could not be freed"],
  ["ENOENT", "entry not found", "list what there is and check the identifier"],
  ["NOTYPE", "unknown object type"],
  ["NOSCHEMA", "unknown object schema"],
  ["NOLOCAL", "the object is not local"],
  ["STALE", "the pool map is stale", "try again"],
  [
    "NOTLEADER",
    "not the leader of the service",
    "find the leader with dmg system leader-query and use its host",
  ],
  ["TGT_CREATE", "the target could not be created", "check free space and the engine's log"],
  ["EP_RO", "the epoch is read-only"],
  ["EP_OLD", "the epoch is too old"],
  ["KEY2BIG", "the key is too large"],
  ["REC2BIG", "the record is too large"],
  ["IO_INVAL", "the I/O buffers do not match the objects"],
  ["EQ_BUSY", "the event queue is busy", "try again"],
  ["DOMAIN", "the fault domain does not match"],
  ["SHUTDOWN", "the service shuts down", "wait until the system is up, then try again"],
  ["INPROGRESS", "the operation is in progress", "wait for it to end"],
  ["NOTAPPLICABLE", "not applicable"],
  [
    "NOTREPLICA",
    "not a replica of the service",
    "find the replicas with dmg system leader-query and use one of them",
  ],
  ["CSUM", "checksum error", "check the health of the devices: dmg storage query nvme-health"],
  [
    "DF_INVAL",
    "the durable format is invalid",
    "the storage is damaged or not DAOS's: format it again if its data is not needed",
  ],
  [
    "DF_INCOMPT",
    "the durable format is of another version",
    "use the release that wrote it, or format again",
  ],
  ["REC_SIZE", "the record size does not fit"],
];

const names = new Map<number, string>();
const texts = new Map<number, StatusText>();
for (const [first, block] of [
  [1001, GURT],
  [2001, DAOS],
] as const) {
  block.forEach(([name, meaning, resolution], index) => {
    names.set(first + index, name);
    texts.set(first + index, { meaning, resolution: resolution ?? LOOK_IN_ENGINE_LOG });
  });
}
/** A status of the data plane: 0, or a negative error number such as -1007 (NOSPACE). */
export type DaosStatus = number;

/** The name of a status, `NOSPACE` for -1007; `SUCCESS` for 0, `UNKNOWN(-5)` for a number without a name. */
export function daosStatusName(status: DaosStatus): string {
  if (status === 0) return "SUCCESS";
  return names.get(-status) ?? `UNKNOWN(${status})`;
}

const numbers = new Map([...names].map(([number, name]) => [name, -number]));

/** The status of a name: -1007 for `NOSPACE`. @throws Error for an unknown name. */
export function daosStatusNumber(name: string): DaosStatus {
  const status = numbers.get(name);
  if (status === undefined) throw new Error(`there is no DAOS status ${name}`);
  return status;
}

/** Every status that has a name, from -1001 on. */
export function listDaosStatuses(): readonly DaosStatus[] {
  return [...names.keys()].map((number) => -number);
}

/** What a status means and what can be done about it. */
export function describeDaosStatus(status: DaosStatus): {
  readonly name: string;
  readonly meaning: string;
  readonly resolution: string;
} {
  const { meaning = "unknown failure", resolution = LOOK_IN_ENGINE_LOG } = texts.get(-status) ?? {};
  return { name: daosStatusName(status), meaning, resolution };
}

/**
 * The fault for a status that is not 0.
 *
 * @param attempted the operation that failed, a verb phrase such as `create pool 1b0e...`
 * @see DAOS 0.8.0 src/include/daos_errno.h
 */
export function faultDaosStatus(attempted: string, status: DaosStatus): Fault {
  const { name, meaning, resolution } = describeDaosStatus(status);
  return new Fault({
    domain: "daos",
    code: Math.abs(status),
    description: `cannot ${attempted}: ${meaning} (DER_${name}, ${status})`,
    resolution,
  });
}
