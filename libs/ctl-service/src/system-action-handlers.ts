import type { MessageInitShape } from "@bufbuild/protobuf";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { formatHostAddress } from "@daos/hostlist";
import type { Member } from "@daos/member-store";
import type { Membership } from "@daos/membership";
import { ctl } from "@daos/proto";
import { faultDetail } from "@daos/rpc";
import { type ActionOptions, type ActionResult, DEFAULT_FANOUT, DEFAULT_STEP_MS } from "@daos/system";
import type { CtlServiceOptions } from "./ctl-service-options.ts";
import { STATES } from "./member-to-proto.ts";

const MAX_FANOUT = 1024;
const MAX_STEP_MS = 600_000;

/** The actions on members. */
export function systemActionHandlers({
  leadership,
  actions,
  log,
}: Pick<CtlServiceOptions, "leadership" | "actions" | "log">): Pick<
  ServiceImpl<typeof ctl.MgmtCtl>,
  "systemStop" | "systemStopMembers" | "systemStart" | "systemExclude" | "systemClearExclude" | "systemErase"
> {
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
      // A rank or host that does not exist is a mistake of the caller: nothing is done then.
      if (missingRanks.length > 0 || missingHosts.length > 0) {
        return { missingRanks: [...missingRanks], missingHosts: [...missingHosts] };
      }
      const results = await work(members, { ...howFrom(request), named: ranks, signal: context.signal });
      return { results: results.map((result) => resultToProto(result, membership)) };
    };

  const stop = act("stop", (members, how) => actions.stop(members, how));

  return {
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
  };
}

function howFrom({ force, fanout, timeoutMs }: ctl.SystemActionReq): Omit<ActionOptions, "signal"> {
  return {
    force,
    fanout: fanout === 0 ? DEFAULT_FANOUT : Math.min(fanout, MAX_FANOUT),
    timeoutMs: timeoutMs === 0 ? DEFAULT_STEP_MS : Math.min(timeoutMs, MAX_STEP_MS),
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
