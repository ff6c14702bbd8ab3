import type { ManagementService, Server } from "./engine-state.ts";
import { parseUuid, STATUS } from "./status.ts";

/** "Any rank" in a join request. */
const ANY_RANK = 4294967295;

/** The rank and the new state of the service (the same object when nothing has changed), or the status of a refusal. */
export type JoinOutcome =
  | { readonly status: 0; readonly rank: number; readonly ms: ManagementService }
  | { readonly status: number; readonly rank?: undefined };

/**
 * Admits a server to the system. A known uuid keeps its rank, and its new address is stored; a request for another rank is
 * refused with PROTO. An unknown uuid gets the requested rank (EXIST when taken) or the lowest free rank.
 *
 * @see DAOS 0.8.0 src/mgmt/srv_system.c ds_mgmt_join_handler
 */
export function join(ms: ManagementService, request: Server): JoinOutcome {
  const uuid = parseUuid(request.uuid);
  if (uuid === undefined) return { status: STATUS.INVAL };
  const known = ms.servers.find((server) => server.uuid === uuid);
  if (known !== undefined) {
    if (request.rank !== ANY_RANK && request.rank !== known.rank) return { status: STATUS.PROTO };
    const { uri, nctxs, addr } = request;
    if (uri === known.uri && nctxs === known.nctxs && addr === known.addr)
      return { status: 0, rank: known.rank, ms };
    const servers = ms.servers.map((server) => (server === known ? { ...known, uri, nctxs, addr } : server));
    return { status: 0, rank: known.rank, ms: { ...ms, servers } };
  }
  const taken = new Set(ms.servers.map(({ rank }) => rank));
  if (request.rank !== ANY_RANK && taken.has(request.rank)) return { status: STATUS.EXIST };
  const rank = request.rank === ANY_RANK ? lowestFree(taken) : request.rank;
  const servers = [...ms.servers, { ...request, uuid, rank }].sort((a, b) => a.rank - b.rank);
  return { status: 0, rank, ms: { ...ms, servers } };
}

function lowestFree(taken: ReadonlySet<number>): number {
  let rank = 0;
  while (taken.has(rank)) rank++;
  return rank;
}
