import type { JoinRequest } from "@daos/membership";
import type { mgmt } from "@daos/proto";
import { NIL_RANK, parseRank } from "@daos/rank";
import { hostFrom } from "./peer-address.ts";

type JoinFields = Pick<
  mgmt.JoinReq,
  "uuid" | "rank" | "uri" | "nctxs" | "addr" | "faultDomain" | "reports" | "recorded" | "engineNumber"
>;

/** @param peer IP address of the caller; empty if it is not known */
export function joinFromProto(message: JoinFields, peer: string): JoinRequest {
  const { uuid, addr, uri, nctxs: contexts, faultDomain, reports, recorded, engineNumber } = message;
  const rank = message.rank === NIL_RANK ? NIL_RANK : parseRank(message.rank);
  const address = hostFrom(addr, peer);
  const instance = instanceOf(engineNumber);
  return { uuid, rank, address, uri, contexts, faultDomain, reports, recorded, instance };
}

/** The index of an engine in the configuration of its host, from 0; undefined when its server does not report it. */
export function instanceOf(engineNumber: number): number | undefined {
  return engineNumber === 0 ? undefined : engineNumber - 1;
}
