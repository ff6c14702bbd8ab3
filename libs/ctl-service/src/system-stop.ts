import type { MessageInitShape } from "@bufbuild/protobuf";
import { toFault } from "@daos/fault";
import { formatHostAddress } from "@daos/hostlist";
import type { Member } from "@daos/membership";
import type { ctl } from "@daos/proto";
import { deadline } from "@daos/sys";
import type { CtlServiceOptions } from "./ctl-service-options.ts";

type StopResult = MessageInitShape<typeof ctl.SystemStopResp_ResultSchema>;

/** The most one host may take for one step, ms: a dead host costs this once, not once for each of its ranks. */
const STEP_TIMEOUT_MS = 30_000;

/**
 * Stops the system: every rank is readied first, then every rank but those of this host is killed, then those of this
 * host, so that the management service goes last. The ranks of a step go side by side.
 *
 * @see DAOS 0.8.0 src/control/server/ctl_system.go SystemStop
 */
export async function systemStop(
  {
    harness,
    leadership,
    members,
    log,
  }: Pick<CtlServiceOptions, "harness" | "leadership" | "members" | "log">,
  options: { readonly signal: AbortSignal },
): Promise<readonly StopResult[]> {
  const all = leadership.membership().list();
  const here = new Set(harness.instances.map((instance) => instance.superblock?.uuid));
  const far = all.filter((member) => !here.has(member.uuid));
  const near = all.filter((member) => here.has(member.uuid));
  log.info("system stop", { members: all.length });

  const step = (action: string, of: readonly Member[], call: CtlServiceOptions["members"]["killRank"]) =>
    Promise.all(
      of.map(async (member): Promise<StopResult> => {
        const { address, rank } = member;
        const id = `${formatHostAddress(address)}/${rank}`;
        using limit = deadline(STEP_TIMEOUT_MS, `${action} of rank ${rank}`, options.signal);
        try {
          await call(address, rank, limit);
          return { id, action, errored: false, msg: "" };
        } catch (error) {
          const fault = toFault(error);
          log.error(`${action} failed`, { rank, address: formatHostAddress(address), fault });
          return { id, action, errored: true, msg: fault.message };
        }
      }),
    );

  const prepare: typeof members.prepShutdown = (host, rank, wait) => members.prepShutdown(host, rank, wait);
  const kill: typeof members.killRank = (host, rank, wait) => members.killRank(host, rank, wait);
  return [
    ...(await step("prep shutdown", all, prepare)),
    ...(await step("stop", far, kill)),
    ...(await step("stop", near, kill)),
  ];
}
