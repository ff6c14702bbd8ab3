import { ctl } from "@daos/proto";
import type { ControlClient } from "./control-client.ts";
import { faultServerTooOld, isUnimplemented } from "./unimplemented.ts";

/** Selects members: those with the ranks and those on the hosts; all when neither is given. */
export interface MemberSelection {
  readonly ranks?: readonly number[] | undefined;
  /** Control addresses, `host:port`. */
  readonly hosts?: readonly string[] | undefined;
}

/** The state of a member, as the leader knows it. Release 0.8.0 reports only `unknown`. */
export type MemberState =
  | "unknown"
  | "joining"
  | "joined"
  | "stopping"
  | "stopped"
  | "excluded"
  | "unresponsive"
  | "errored"
  | "replaced";

/** One engine of the system, with its state. */
export interface MemberStatus {
  readonly rank: number;
  readonly uuid: string;
  /** The control address of its host, `host:port`. */
  readonly address: string;
  readonly state: MemberState;
  /** The reason of the state; empty for the usual reason. */
  readonly reason: string;
  /** When the state began; undefined when the server does not report it. */
  readonly since: Date | undefined;
  /** The number of its joins. */
  readonly incarnation: number;
  readonly fabricUri: string;
  readonly faultDomain: string;
  /** The engine's place in the configuration of its host, from 1; undefined when the server does not report it. */
  readonly engineNumber: number | undefined;
}

/** The selected ranks and hosts that do not exist. */
export interface MissingMembers {
  readonly ranks: readonly number[];
  readonly hosts: readonly string[];
}

export interface SystemQuery {
  /** By rank. */
  readonly members: readonly MemberStatus[];
  readonly missing: MissingMembers;
}

/**
 * Queries the states of members. A server of release 0.8.0 reports the members without states, and only all of them.
 *
 * @throws Fault
 */
export function systemQuery(client: ControlClient, selection: MemberSelection = {}): Promise<SystemQuery> {
  const attempted = "query the system";
  return client.leader({
    attempted,
    timeoutMs: 30_000,
    repeatable: true,
    call: async (connection, options) => {
      const response = await connection.ctl
        .systemQuery({ selection: selectionMessage(selection) }, options)
        .catch(async (error: unknown) => {
          if (!isUnimplemented(error)) throw error;
          if (selectsSome(selection)) {
            throw faultServerTooOld(
              "query some ranks",
              "leave out --ranks and --rank-hosts",
              connection,
              error,
            );
          }
          const { members } = await connection.ctl.systemMemberQuery({}, options);
          return { members, missingRanks: [], missingHosts: [] };
        });
      return {
        members: response.members.map(readMember).sort((a, b) => a.rank - b.rank),
        missing: { ranks: response.missingRanks, hosts: response.missingHosts },
      };
    },
  });
}

/** True for a selection of less than all members. */
export function selectsSome({ ranks = [], hosts = [] }: MemberSelection): boolean {
  return ranks.length > 0 || hosts.length > 0;
}

/** Encodes a selection. */
export function selectionMessage({ ranks = [], hosts = [] }: MemberSelection) {
  return { ranks: [...ranks], hosts: [...hosts] };
}

/** The name of a state in texts and in `--json`. A state of a later release is `unknown`. */
export function readMemberState(state: ctl.MemberState): MemberState {
  const name = ctl.MemberState[state] as keyof typeof ctl.MemberState | undefined;
  return name === undefined ? "unknown" : (name.replace("MEMBER_", "").toLowerCase() as MemberState);
}

function readMember(member: ctl.SystemMember): MemberStatus {
  return {
    rank: member.rank,
    uuid: member.uuid,
    address: member.addr,
    state: readMemberState(member.state),
    reason: member.reason,
    since: member.since === 0n ? undefined : new Date(Number(member.since)),
    incarnation: member.incarnation,
    fabricUri: member.uri,
    faultDomain: member.faultDomain,
    engineNumber: member.engineNumber === 0 ? undefined : member.engineNumber,
  };
}
