import { Fault, type FaultDomain } from "@daos/fault";
import type { ctl } from "@daos/proto";
import type { ControlClient } from "./control-client.ts";
import {
  type MemberSelection,
  type MemberState,
  type MissingMembers,
  readMemberState,
  selectionMessage,
  selectsSome,
} from "./system-query.ts";
import { type MemberAction, systemStop } from "./system-stop.ts";
import { faultServerTooOld, isUnimplemented } from "./unimplemented.ts";

/** The actions on members. */
export type SystemActionName = "stop" | "start" | "exclude" | "clear-exclude" | "erase";

export interface SystemActionRequest {
  readonly selection: MemberSelection;
  /** Stops engines without preparing them for shutdown. */
  readonly force: boolean;
}

/** The outcome for one member. */
export interface MemberOutcome {
  readonly rank: number;
  readonly uuid: string;
  /** The control address of its host, `host:port`; empty when a server of release 0.8.0 does not report it. */
  readonly address: string;
  /** The step that was done, or that failed: `stop`, `prep shutdown`. */
  readonly action: string;
  readonly state: MemberState;
  /** Absent on success. */
  readonly fault: Fault | undefined;
  /** A note on success; usually empty. */
  readonly note: string;
}

export type SystemAction =
  | { readonly kind: "done"; readonly outcomes: readonly MemberOutcome[]; readonly missing: MissingMembers }
  /** The answer of a server of release 0.8.0, which can only stop all members. */
  | { readonly kind: "old-stop"; readonly actions: readonly MemberAction[] };

/** Each action's RPC, and its name for messages. */
const ACTIONS = {
  stop: { attempted: "stop members", rpc: "systemStopMembers" },
  start: { attempted: "start members", rpc: "systemStart" },
  exclude: { attempted: "exclude members", rpc: "systemExclude" },
  "clear-exclude": { attempted: "clear the exclusion of members", rpc: "systemClearExclude" },
  erase: { attempted: "erase members", rpc: "systemErase" },
} as const satisfies Record<SystemActionName, { attempted: string; rpc: keyof typeof ctl.MgmtCtl.method }>;

const TEN_MINUTES_MS = 10 * 60_000;

/**
 * Runs an action on some or all members. Hosts work concurrently, with the client's fan-out and deadline per host. A
 * server of release 0.8.0 can only stop all members in order. It is never asked for that when less was requested.
 *
 * @throws Fault
 */
export async function systemAction(
  client: ControlClient,
  name: SystemActionName,
  request: SystemActionRequest,
): Promise<SystemAction> {
  const { attempted, rpc } = ACTIONS[name];
  const { selection, force } = request;
  const answer = await client.leader({
    attempted,
    timeoutMs: TEN_MINUTES_MS,
    manyHosts: true,
    call: async (connection, options) => {
      const message = {
        selection: selectionMessage(selection),
        force,
        fanout: client.fanout ?? 0,
        timeoutMs: client.timeoutMs ?? 0,
      };
      try {
        const response = await connection.ctl[rpc](message, options);
        return { kind: "done", response } as const;
      } catch (error) {
        if (!isUnimplemented(error)) throw error;
        if (name === "stop" && !selectsSome(selection) && !force) return { kind: "too-old" } as const;
        const instead =
          name === "stop" ? "stop the whole system without --ranks, --rank-hosts and --force" : "";
        throw faultServerTooOld(attempted, instead, connection, error);
      }
    },
  });
  if (answer.kind === "too-old") return { kind: "old-stop", actions: await systemStop(client) };
  const { results, missingRanks, missingHosts } = answer.response;
  return {
    kind: "done",
    outcomes: results.map(readOutcome).sort((a, b) => a.rank - b.rank),
    missing: { ranks: missingRanks, hosts: missingHosts },
  };
}

function readOutcome(result: ctl.SystemActionResp_Result): MemberOutcome {
  const { rank, uuid, addr, action, fault, state, note } = result;
  return {
    rank,
    uuid,
    address: addr,
    action,
    state: readMemberState(state),
    note,
    fault:
      fault &&
      new Fault({
        domain: fault.domain as FaultDomain,
        code: fault.code,
        description: fault.description,
        reason: fault.reason === "" ? undefined : fault.reason,
        resolution: fault.resolution,
      }),
  };
}
