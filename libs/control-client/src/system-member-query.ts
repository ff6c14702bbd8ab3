import type { ControlClient } from "./control-client.ts";

/** One engine of the system. */
export interface SystemMember {
  readonly rank: number;
  readonly uuid: string;
  /** The control address of its host, `host:port`. */
  readonly address: string;
}

/** Lists the members of the system, by rank. @throws Fault */
export function systemMemberQuery(client: ControlClient): Promise<readonly SystemMember[]> {
  return client.leader({
    attempted: "query system members",
    timeoutMs: 30_000,
    repeatable: true,
    call: async ({ ctl }, options) => {
      const { members } = await ctl.systemMemberQuery({}, options);
      return members
        .map(({ rank, uuid, addr }) => ({ rank, uuid, address: addr }))
        .sort((a, b) => a.rank - b.rank);
    },
  });
}
