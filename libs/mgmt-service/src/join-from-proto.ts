import type { JoinRequest } from "@daos/membership";
import type { mgmt } from "@daos/proto";
import { NIL_RANK, parseRank } from "@daos/rank";
import { hostFrom } from "./peer-address.ts";

type JoinFields = Pick<
  mgmt.JoinReq,
  "uuid" | "rank" | "uri" | "nctxs" | "addr" | "faultDomain" | "reports" | "recorded"
>;

/** @param peer IP address of the caller; empty if it is not known */
export function joinFromProto(message: JoinFields, peer: string): JoinRequest {
  const { uuid, addr, uri, nctxs: contexts, faultDomain, reports, recorded } = message;
  const rank = message.rank === NIL_RANK ? NIL_RANK : parseRank(message.rank);
  return { uuid, rank, address: hostFrom(addr, peer), uri, contexts, faultDomain, reports, recorded };
}
