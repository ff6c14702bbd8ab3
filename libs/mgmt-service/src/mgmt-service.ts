import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { drpcMethods } from "@daos/drpc";
import { FaultCode, hasCode } from "@daos/fault";
import { formatHostAddress } from "@daos/hostlist";
import { limitRepeats } from "@daos/log";
import { mgmt } from "@daos/proto";
import { answerOnce } from "@daos/rpc/server";
import { deadline } from "@daos/sys";
import { type AttachRank, attachInfo, type MsMethod } from "@daos/system";
import { clientCall } from "./client-call.ts";
import { faultNotDirecting, faultOtherSystem } from "./faults.ts";
import { joinFromProto } from "./join-from-proto.ts";
import type { MgmtServiceOptions } from "./mgmt-service-options.ts";
import { peerAddress, peerCertificateKey } from "./peer-address.ts";
import { PoolCalls } from "./pool-calls.ts";
import { reportFromProto, reportResultToProto } from "./report-from-proto.ts";
import { SharedCalls } from "./shared-calls.ts";

/** The most a call into the engine may take, ms; the caller's own deadline may end it earlier. */
const CALL_TIMEOUT_MS = 60_000;
/** How long to look up the addresses of the access points, ms. */
const RESOLVE_TIMEOUT_MS = 10_000;
/** Calls of clients that attach which an engine has at once. */
const MAX_ATTACH_CALLS = 4;
/** What dmg of release 0.8.0 says unless told otherwise, whatever the system is called. */
const USUAL_SYSTEM = "daos_server";
/** The real engine needs up to 10 s for a pool on one rank. */
const POOL_TIMEOUT_MS = 300_000;

interface AskEngineOptions {
  /** Ends the call sooner. */
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs: number;
  /** Certificate (DER) of the client. */
  readonly caller: Uint8Array | undefined;
}

/**
 * The handlers of `mgmt.MgmtSvc`. What concerns the members is answered on the leader's host; pools and the like by an
 * engine with a replica; what concerns one rank by the host that runs it.
 */
export function mgmtService(options: MgmtServiceOptions): ServiceImpl<typeof mgmt.MgmtSvc> {
  const { harness, leadership, replicas, requests, mayDirect, judgeCaller, systemName } = options;
  const quiet = limitRepeats(options.log);
  const poolCalls = new PoolCalls(options);

  /**
   * Passes a request on to the engine of an MS replica; the answer is the engine's. Any host with a replica does it, as
   * agents of release 0.8.0 ask their first access point and no other; the data plane has a leader of its own.
   */
  const forward =
    <I extends DescMessage, O extends DescMessage>(method: MsMethod<I, O>, timeoutMs = CALL_TIMEOUT_MS) =>
    (request: MessageShape<I>, { signal, values }: HandlerContext): Promise<MessageShape<O>> =>
      askEngine(method, request, { signal, timeoutMs, caller: values.get(peerCertificateKey) });

  const askEngine = async <I extends DescMessage, O extends DescMessage>(
    method: MsMethod<I, O>,
    request: MessageShape<I>,
    { signal: ends, timeoutMs, caller }: AskEngineOptions,
  ): Promise<MessageShape<O>> => {
    if (!harness.hasMsInstance) leadership.membership();
    using limit = deadline(timeoutMs, `${method.name} in the engine`, ends);
    const { signal } = limit;
    return await replicas.call(method, request as unknown as MessageInitShape<I>, { signal, caller });
  };

  /** Likewise, on the leader only: the answer is about one engine, and is to be about the same one wherever it is asked. */
  const forwardOnLeader = <I extends DescMessage, O extends DescMessage>(method: MsMethod<I, O>) => {
    const call = forward(method);
    return async (request: MessageShape<I>, context: HandlerContext): Promise<MessageShape<O>> => {
      leadership.membership();
      return call(request, context);
    };
  };

  const attachTo = answerOnce(mgmt.GetAttachInfoRespSchema, (psrs: readonly AttachRank[]) => ({
    psrs: [...psrs],
  }));
  const attaching = new SharedCalls<mgmt.GetAttachInfoResp>(MAX_ATTACH_CALLS);
  const listInDataPlane = forward(drpcMethods.listPools);

  /** @throws Fault wrongSystem */
  const checkSystem = (name: string) => {
    if (name !== "" && name !== systemName) throw faultOtherSystem(name, systemName);
  };

  /** A certificate of the role server is every server's: these calls also depend on the address. @throws Fault notAuthorized */
  const checkDirects = async (call: string, context: HandlerContext) => {
    const address = peerAddress(context);
    using limit = deadline(RESOLVE_TIMEOUT_MS, "look up the access points", context.signal);
    if (await mayDirect(address, limit)) return;
    const fault = faultNotDirecting(call, address);
    quiet.warn("a call of another server is refused", { fault });
    throw fault;
  };

  /** The client that an access point calls for must be allowed the call here as it was there. @throws Fault notAuthorized */
  const checkCaller = async (method: number, caller: Uint8Array, from: string) => {
    if (method === drpcMethods.join.method) return;
    const fault = await judgeCaller(caller, clientCall(method), from);
    if (fault === undefined) return;
    quiet.warn("a call of another server is refused", { fault });
    throw fault;
  };

  return {
    async join(request, context) {
      return requests.join(joinFromProto(request, peerAddress(context)), context);
    },

    leaderQuery({ system }) {
      checkSystem(system);
      const { leader, accessPoints } = leadership;
      return {
        currentLeader: leader === undefined ? "" : formatHostAddress(leader),
        replicas: accessPoints.map(({ address }) => formatHostAddress(address)),
      };
    },

    async reportEngines(request, context) {
      return reportResultToProto(await requests.report(reportFromProto(request, peerAddress(context))));
    },

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
      requests.startRank(rank);
      return {};
    },

    async eraseRank({ rank, uuid }, context) {
      await checkDirects("EraseRank", context);
      await requests.eraseRank(rank, uuid);
      return {};
    },

    async callEngine({ method, body, caller }, context) {
      await checkDirects("CallEngine", context);
      await checkCaller(method, caller, peerAddress(context));
      return { body: new Uint8Array(await requests.callEngine(method, body, context)) };
    },

    async poolCreate(request, context) {
      if (request.sys !== USUAL_SYSTEM) checkSystem(request.sys);
      using limit = deadline(POOL_TIMEOUT_MS, "creation of a pool", context.signal);
      return await poolCalls.create(request, callerOf(context, limit));
    },

    async poolDestroy(request, context) {
      using limit = deadline(POOL_TIMEOUT_MS, "destruction of a pool", context.signal);
      return await poolCalls.destroy(request, callerOf(context, limit));
    },

    async listPools(request, context) {
      using limit = deadline(CALL_TIMEOUT_MS, "list of the pools", context.signal);
      try {
        return await poolCalls.list(request, callerOf(context, limit));
      } catch (error) {
        // Without the store of the members the data plane still has its list.
        if (!harness.hasMsInstance || !isStoreOutage(error)) throw error;
        return await listInDataPlane(request, context);
      }
    },

    async callLeader({ method, body, caller, address }, context) {
      await checkDirects("CallLeader", context);
      await checkCaller(method, caller, peerAddress(context));
      using limit = deadline(POOL_TIMEOUT_MS, "a call about pools", context.signal);
      const from = { signal: limit.signal, caller: caller.length === 0 ? undefined : caller, address };
      return { body: new Uint8Array(await poolCalls.here(method, body, from)) };
    },

    poolGetACL: forward(drpcMethods.poolGetAcl),
    poolOverwriteACL: forward(drpcMethods.poolOverwriteAcl),
    poolUpdateACL: forward(drpcMethods.poolUpdateAcl),
    poolDeleteACL: forward(drpcMethods.poolDeleteAcl),
    async getAttachInfo(request, context) {
      using limit = deadline(CALL_TIMEOUT_MS, "members to attach by", context.signal);
      const psrs = await attachInfo(leadership, limit);
      if (psrs !== undefined) return attachTo(psrs);
      // A job starts on thousands of nodes at once: the engine has the work of a few calls, and room for administrators.
      const shared = { timeoutMs: CALL_TIMEOUT_MS, caller: context.values.get(peerCertificateKey) };
      const ask = () => askEngine(drpcMethods.getAttachInfo, request, shared);
      return await attaching.call(request.sys, ask, limit);
    },
    bioHealthQuery: forwardOnLeader(drpcMethods.bioHealthQuery),
    smdListDevs: forwardOnLeader(drpcMethods.smdListDevs),
    smdListPools: forwardOnLeader(drpcMethods.smdListPools),
  };
}

function callerOf(context: HandlerContext, { signal }: { readonly signal: AbortSignal }) {
  return { signal, caller: context.values.get(peerCertificateKey), address: peerAddress(context) };
}

function isStoreOutage(error: unknown): boolean {
  const { memberStoreUnusable, memberStoreReplaced, electionUnreachable } = FaultCode;
  return [memberStoreUnusable, memberStoreReplaced, electionUnreachable].some((code) => hasCode(error, code));
}
