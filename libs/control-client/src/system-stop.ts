import type { ControlClient } from "./control-client.ts";

/** The outcome for one member, or for one step of it. */
export interface MemberAction {
  /** The member as the server names it: `10.0.0.1:10001/UUID/3`, its control address, uuid and rank. */
  readonly id: string;
  /** `prep shutdown`, `stop`. */
  readonly action: string;
  readonly ok: boolean;
  /** Why it failed; empty on success. */
  readonly message: string;
}

const TEN_MINUTES_MS = 10 * 60_000;

/** Stops every engine of the system in order. @throws Fault */
export function systemStop(client: ControlClient): Promise<readonly MemberAction[]> {
  return client.leader({
    attempted: "stop the system",
    timeoutMs: TEN_MINUTES_MS,
    call: async ({ ctl }, options) => {
      const { results } = await ctl.systemStop({}, options);
      return results.map(({ id, action, errored, msg }) => ({ id, action, ok: !errored, message: msg }));
    },
  });
}
