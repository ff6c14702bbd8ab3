import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { drpcMethods } from "@daos/drpc";
import { limitRepeats } from "@daos/log";
import type { mgmt } from "@daos/proto";
import { deadline } from "@daos/sys";
import { clientCall } from "./client-call.ts";
import { faultNotDirecting } from "./faults.ts";
import type { MgmtServiceOptions } from "./mgmt-service-options.ts";
import { peerAddress } from "./peer-address.ts";
import type { PoolCalls } from "./pool-calls.ts";
import { POOL_TIMEOUT_MS } from "./timeouts.ts";

/** How long to look up the addresses of the access points, ms. */
const RESOLVE_TIMEOUT_MS = 10_000;

/**
 * The handlers of calls by the leader and the access points: calls about one rank, on the host that runs it, and calls
 * of clients that another access point forwards.
 */
export function peerHandlers(
  options: Pick<MgmtServiceOptions, "requests" | "mayDirect" | "authorizeCaller" | "log">,
  pools: PoolCalls,
): Pick<
  ServiceImpl<typeof mgmt.MgmtSvc>,
  "prepShutdown" | "killRank" | "startRank" | "eraseRank" | "callEngine" | "callLeader"
> {
  const { requests, mayDirect, authorizeCaller } = options;
  const quiet = limitRepeats(options.log);

  /**
   * Every server has a certificate of the role server, so these calls also depend on the address.
   *
   * @throws Fault notAuthorized
   */
  const checkDirects = async (call: string, context: HandlerContext) => {
    const address = peerAddress(context);
    using limit = deadline(RESOLVE_TIMEOUT_MS, "look up the access points", context.signal);
    if (await mayDirect(address, limit)) return;
    const fault = faultNotDirecting(call, address);
    quiet.warn("a call of another server is refused", { fault });
    throw fault;
  };

  /** The client of a forwarded call must be allowed the call here too. @throws Fault notAuthorized */
  const checkCaller = async (method: number, caller: Uint8Array, from: string) => {
    if (method === drpcMethods.join.method) return;
    const fault = await authorizeCaller(caller, clientCall(method), from);
    if (fault === undefined) return;
    quiet.warn("a call of another server is refused", { fault });
    throw fault;
  };

  return {
    async prepShutdown({ rank }, context) {
      await checkDirects("PrepShutdown", context);
      const { signal } = context;
      return { status: await requests.prepShutdown(rank, { allowedMs: context.timeoutMs(), signal }) };
    },

    async killRank({ rank, force }, context) {
      await checkDirects("KillRank", context);
      return { status: await requests.killRank(rank, { force, signal: context.signal }) };
    },

    async startRank({ rank }, context) {
      await checkDirects("StartRank", context);
      await requests.startRank(rank, context);
      return {};
    },

    async eraseRank({ rank, uuid }, context) {
      await checkDirects("EraseRank", context);
      await requests.eraseRank(rank, uuid, context);
      return {};
    },

    async callEngine({ method, body, caller }, context) {
      await checkDirects("CallEngine", context);
      await checkCaller(method, caller, peerAddress(context));
      return { body: new Uint8Array(await requests.callEngine(method, body, context)) };
    },

    async callLeader({ method, body, caller, address }, context) {
      await checkDirects("CallLeader", context);
      await checkCaller(method, caller, peerAddress(context));
      using limit = deadline(POOL_TIMEOUT_MS, "a call about pools", context.signal);
      const from = { signal: limit.signal, caller: caller.length === 0 ? undefined : caller, address };
      return { body: new Uint8Array(await pools.here(method, body, from)) };
    },
  };
}
