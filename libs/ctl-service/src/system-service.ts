import type { MessageInitShape } from "@bufbuild/protobuf";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { formatHostAddress } from "@daos/hostlist";
import type { Member, MemberState } from "@daos/member-store";
import type { Membership, SystemEvent } from "@daos/membership";
import { ctl } from "@daos/proto";
import { faultDetail } from "@daos/rpc";
import { answerOnce } from "@daos/rpc/server";
import { type ActionOptions, type ActionResult, DEFAULT_FANOUT, DEFAULT_STEP_MS } from "@daos/system";
import type { CtlServiceOptions } from "./ctl-service-options.ts";

type SystemMethods = Pick<
  ServiceImpl<typeof ctl.MgmtCtl>,
  | "systemMemberQuery"
  | "systemStop"
  | "systemQuery"
  | "systemStopMembers"
  | "systemStart"
  | "systemExclude"
  | "systemClearExclude"
  | "systemErase"
  | "systemEvents"
  | "msStatus"
>;

const STATES: Readonly<Record<MemberState, ctl.MemberState>> = {
  joining: ctl.MemberState.MEMBER_JOINING,
  joined: ctl.MemberState.MEMBER_JOINED,
  stopping: ctl.MemberState.MEMBER_STOPPING,
  stopped: ctl.MemberState.MEMBER_STOPPED,
  excluded: ctl.MemberState.MEMBER_EXCLUDED,
  unresponsive: ctl.MemberState.MEMBER_UNRESPONSIVE,
  errored: ctl.MemberState.MEMBER_ERRORED,
  replaced: ctl.MemberState.MEMBER_REPLACED,
};

const MAX_FANOUT = 1024;
const MAX_STEP_MS = 600_000;

/** The handlers of `ctl.MgmtCtl` that are the leader's: the members, and what is done to them. */
export function systemService(
  options: Pick<CtlServiceOptions, "leadership" | "actions" | "log">,
): SystemMethods {
  const { leadership, actions, log } = options;

  const act =
    (
      name: string,
      work: (members: readonly Member[], how: ActionOptions) => Promise<readonly ActionResult[]>,
    ) =>
    async (
      request: ctl.SystemActionReq,
      context: HandlerContext,
    ): Promise<MessageInitShape<typeof ctl.SystemActionRespSchema>> => {
      const membership = leadership.membership();
      const { ranks = [], hosts = [] } = request.selection ?? {};
      const { members, missingRanks, missingHosts } = membership.select(ranks, hosts);
      log.info(`system ${name}`, { members: members.length, ranks, hosts, force: request.force });
      // What is not there is a mistake of the caller: nothing is done then.
      if (missingRanks.length > 0 || missingHosts.length > 0) {
        return { missingRanks: [...missingRanks], missingHosts: [...missingHosts] };
      }
      const results = await work(members, { ...howFrom(request), named: ranks, signal: context.signal });
      return { results: results.map((result) => resultToProto(result, membership)) };
    };

  // Until a member changes, all callers get the same list.
  const memberQueryOfAll = answerOnce(ctl.SystemMemberQueryRespSchema, membersToProto);
  const systemQueryOfAll = answerOnce(ctl.SystemQueryRespSchema, membersToProto);

  const stop = act("stop", (members, how) => actions.stop(members, how));

  return {
    systemMemberQuery() {
      return memberQueryOfAll(leadership.membership().list());
    },

    /** @see DAOS 0.8.0 src/control/server/ctl_system.go SystemStop */
    async systemStop(_request, context) {
      const all = leadership.membership().list();
      log.info("system stop", { members: all.length });
      const steps: ActionResult[] = [];
      await actions.stop(all, {
        force: false,
        fanout: DEFAULT_FANOUT,
        timeoutMs: DEFAULT_STEP_MS,
        signal: context.signal,
        onStep: (results) => void steps.push(...results),
      });
      return {
        results: steps.map(({ member, action, fault }) => ({
          id: `${formatHostAddress(member.address)}/${member.uuid}/${member.rank}`,
          action,
          errored: fault !== undefined,
          msg: fault?.message ?? "",
        })),
      };
    },

    systemQuery({ selection }) {
      const { ranks = [], hosts = [] } = selection ?? {};
      const membership = leadership.membership();
      if (ranks.length === 0 && hosts.length === 0) return systemQueryOfAll(membership.list());
      const { members, missingRanks, missingHosts } = membership.select(ranks, hosts);
      return {
        members: members.map(memberToProto),
        missingRanks: [...missingRanks],
        missingHosts: [...missingHosts],
      };
    },

    async systemStopMembers(request, context) {
      const { ranks = [], hosts = [] } = request.selection ?? {};
      const isWholeSystem = ranks.length === 0 && hosts.length === 0;
      const last = request.force && isWholeSystem ? await leadership.lastSeen() : undefined;
      if (last === undefined) return stop(request, context);
      const { members, outage: why } = last;
      log.warn("system stop without a leader", { members: members.length, fault: why });
      const how = { ...howFrom(request), signal: context.signal, why };
      const results = await actions.stopWithoutLeader(members, how);
      return { results: results.map((result) => resultToProto(result, undefined)) };
    },
    systemStart: act("start", (members, how) => actions.start(members, how)),
    systemExclude: act("exclude", (members, how) => actions.exclude(members, how)),
    systemClearExclude: act("clear-exclude", (members) => actions.clearExclude(members)),
    systemErase: act("erase", (members, how) => actions.erase(members, how)),

    msStatus() {
      const { status, accessPoints } = leadership;
      return {
        leadsHere: status.leadsHere,
        leader: status.leader === undefined ? "" : formatHostAddress(status.leader),
        term: BigInt(status.term ?? 0),
        store: status.store,
        outage: status.outage?.message ?? "",
        members: status.members ?? 0,
        unsavedEvents: status.unsavedEvents ?? 0,
        accessPoints: accessPoints.map(({ address }) => formatHostAddress(address)),
      };
    },

    async *systemEvents({ follow, after, since }, { signal }) {
      const membership = leadership.membership();
      const { events } = membership;
      const from = Number(after);
      if (!follow) {
        for (const event of events.list(from)) if (event.time >= since) yield eventToProto(event);
        return;
      }
      const either = AbortSignal.any([signal, membership.signal]);
      for await (const event of events.follow(from, { signal: either }))
        if (event.time >= since) yield eventToProto(event);
      signal.throwIfAborted();
      membership.checkTerm("follow the events of the system");
    },
  };
}

function howFrom({ force, fanout, timeoutMs }: ctl.SystemActionReq): Omit<ActionOptions, "signal"> {
  return {
    force,
    fanout: fanout === 0 ? DEFAULT_FANOUT : Math.min(fanout, MAX_FANOUT),
    timeoutMs: timeoutMs === 0 ? DEFAULT_STEP_MS : Math.min(timeoutMs, MAX_STEP_MS),
  };
}

function membersToProto(list: readonly Member[]) {
  return { members: list.map(memberToProto) };
}

function memberToProto(member: Member): MessageInitShape<typeof ctl.SystemMemberSchema> {
  const { uuid, rank, address, state, reason, since, incarnation, uri, contexts, faultDomain, instance } =
    member;
  return {
    addr: formatHostAddress(address),
    uuid,
    rank,
    state: STATES[state],
    reason,
    since: BigInt(since),
    incarnation,
    uri,
    nctxs: contexts,
    faultDomain,
    engineNumber: instance === undefined ? 0 : instance + 1,
  };
}

function resultToProto(
  { member, action, fault, note = "", state }: ActionResult,
  membership: Membership | undefined,
): MessageInitShape<typeof ctl.SystemActionResp_ResultSchema> {
  const { rank, uuid, address } = member;
  const now = state ?? membership?.byUuid(uuid)?.state;
  return {
    rank,
    uuid,
    addr: formatHostAddress(address),
    action,
    ...(fault === undefined ? {} : { fault: faultDetail(fault) }),
    state: now === undefined ? ctl.MemberState.MEMBER_UNKNOWN : STATES[now],
    note,
  };
}

function eventToProto(event: SystemEvent): MessageInitShape<typeof ctl.SystemEventSchema> {
  const { number, time, kind, severity, message, rank, uuid = "", address } = event;
  return {
    number: BigInt(number),
    time: BigInt(time),
    kind,
    severity,
    message,
    ...(rank === undefined ? {} : { rank }),
    uuid,
    addr: address === undefined ? "" : formatHostAddress(address),
  };
}
