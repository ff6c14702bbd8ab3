import { ctl } from "@daos/proto";
import type { ControlClient } from "./control-client.ts";
import { faultServerTooOld, isUnimplemented } from "./unimplemented.ts";

/** Some members of the system: those with the ranks and those on the hosts; all when neither is given. */
export interface MemberSelection {
  readonly ranks?: readonly number[] | undefined;
  /** Control addresses, `host:port`. */
  readonly hosts?: readonly string[] | undefined;
}

/** What a member does, as the leader knows it. `unknown` is all that release 0.8.0 has. */
export type MemberState =
  | "unknown"
  | "joining"
  | "joined"
  | "stopping"
  | "stopped"
  | "excluded"
  | "unresponsive"
  | "errored";

/** One engine of the system, and how it is. */
export interface MemberStatus {
  readonly rank: number;
  readonly uuid: string;
  /** The control address of its host, `host:port`. */
  readonly address: string;
  readonly state: MemberState;
  /** Why it is in that state; empty for the usual reason. */
  readonly reason: string;
  /** When the state began; undefined where the server does not say. */
  readonly since: Date | undefined;
  /** How often it has joined. */
  readonly incarnation: number;
  readonly fabricUri: string;
  readonly faultDomain: string;
}

/** What has been asked for and is not there. */
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
 * Asks how members are. Of a server of release 0.8.0 it learns who is a member, but not more, and only of all at once.
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

/** True for less than all members. */
export function selectsSome({ ranks = [], hosts = [] }: MemberSelection): boolean {
  return ranks.length > 0 || hosts.length > 0;
}

/** A selection as the wire has it. */
export function selectionMessage({ ranks = [], hosts = [] }: MemberSelection) {
  return { ranks: [...ranks], hosts: [...hosts] };
}

/** A state as people and `--json` call it. A state of a later release counts as unknown. */
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
  };
}
