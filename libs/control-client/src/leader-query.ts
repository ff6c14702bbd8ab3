import type { ControlClient } from "./control-client.ts";

/** The leader of the management service. */
export interface LeaderQuery {
  /** `host:port`; empty while there is no leader. */
  readonly leader: string;
  readonly replicas: readonly string[];
}

/** Asks which host leads the management service. @throws Fault */
export function leaderQuery(
  client: ControlClient,
  request: { readonly system: string },
): Promise<LeaderQuery> {
  return client.leader({
    attempted: "query the leader",
    timeoutMs: 30_000,
    repeatable: true,
    call: async ({ mgmt }, options) => {
      const { currentLeader, replicas } = await mgmt.leaderQuery({ system: request.system }, options);
      return { leader: currentLeader, replicas };
    },
  });
}
