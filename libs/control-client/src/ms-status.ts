import type { ControlClient, HostResult } from "./control-client.ts";
import { faultServerTooOld, isUnimplemented } from "./unimplemented.ts";

/** The management service as one host sees it. */
export interface MsStatus {
  /** It leads, and has read the members. */
  readonly leadsHere: boolean;
  /** Control address; empty when it knows none. */
  readonly leader: string;
  /** On the leader. */
  readonly term: number | undefined;
  /** Where the members are kept: `file` or `etcd`. */
  readonly store: string;
  /** Why the store cannot be used; empty when it can. */
  readonly outage: string;
  /** On the leader. */
  readonly members: number | undefined;
  /** On the leader, events that the store does not have yet. */
  readonly unsavedEvents: number | undefined;
}

/** Asks hosts for their views of the management service. */
export function msStatus(client: ControlClient): AsyncGenerator<HostResult<MsStatus>> {
  return client.eachHost({
    attempted: "ask for the management service",
    timeoutMs: 10_000,
    call: async (connection, options) => {
      try {
        const answer = await connection.ctl.msStatus({}, options);
        const { leadsHere, leader, store, outage } = answer;
        const onLeader = <T>(value: T) => (leadsHere ? value : undefined);
        return {
          leadsHere,
          leader,
          term: onLeader(Number(answer.term)),
          store,
          outage,
          members: onLeader(answer.members),
          unsavedEvents: onLeader(answer.unsavedEvents),
        };
      } catch (error) {
        if (!isUnimplemented(error)) throw error;
        throw faultServerTooOld("ask for the management service", "", connection, error);
      }
    },
  });
}
