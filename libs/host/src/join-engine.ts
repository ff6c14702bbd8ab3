import type { AskOptions, LeaderFinder } from "@daos/control-client";
import type { InstanceOptions, JoinRequest } from "@daos/instance";
import { type JoinReply, joinSystem } from "@daos/member-agent";
import type { HostPorts } from "./host-ports.ts";

/** Every server listens on all addresses. The leader uses the address from which it is called. */
const ANY_ADDRESS = "0.0.0.0";

/**
 * Lets the engines of this host join at the leader that `finder` finds.
 *
 * @returns the port `join` of the engine with an index
 */
export function joinEngine(
  {
    self,
    faultDomain,
    calls,
    log,
    clock,
  }: Pick<HostPorts, "self" | "faultDomain" | "calls" | "log" | "clock">,
  finder: LeaderFinder,
): (index: number) => InstanceOptions["join"] {
  const joinOnce = (request: JoinRequest, index: number, wait: AskOptions): Promise<JoinReply> => {
    const { uuid, rank, uri, contexts, recorded } = request;
    const addr = `${ANY_ADDRESS}:${self.port}`;
    const message = {
      uuid,
      rank,
      uri,
      nctxs: contexts,
      addr,
      faultDomain,
      reports: true,
      recorded,
      engineNumber: index + 1,
    };
    return finder.ask((host, until) => calls.join(host, message, until), wait);
  };
  return (index) =>
    (request, { signal }) => {
      const attempt = (again: JoinRequest, wait: AskOptions) => joinOnce(again, index, wait);
      return joinSystem(request, { attempt, log, signal, clock });
    };
}
