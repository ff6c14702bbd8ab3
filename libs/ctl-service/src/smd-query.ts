import type { MessageInitShape } from "@bufbuild/protobuf";
import { drpcMethods } from "@daos/drpc";
import { faultDaosStatus, toFault } from "@daos/fault";
import type { EngineInstance } from "@daos/instance";
import type { ctl, mgmt } from "@daos/proto";
import type { CtlServiceOptions } from "./ctl-service-options.ts";
import { stateFault, stateSuccess } from "./response-state.ts";

type Engine = MessageInitShape<typeof ctl.SmdQueryResp_EngineSchema>;
type Lists = Pick<Engine, "devices" | "pools" | "health">;

interface Wait {
  readonly signal: AbortSignal;
}

/**
 * Asks the engines of this host, all at once, about their NVMe devices. An engine that does not run, or refuses, does
 * not hide the others.
 *
 * @see DAOS 2.x src/control/server/ctl_smd_rpc.go SmdQuery
 */
export async function smdQuery(
  { harness }: Pick<CtlServiceOptions, "harness">,
  request: ctl.SmdQueryReq,
  wait: Wait,
): Promise<MessageInitShape<typeof ctl.SmdQueryRespSchema>> {
  const { ranks } = request;
  const asked = harness.instances.filter(({ superblock }) => {
    const rank = superblock?.rank;
    return ranks.length === 0 || (rank !== undefined && ranks.includes(rank));
  });
  return { engines: await Promise.all(asked.map((instance) => askEngine(instance, request, wait))) };
}

async function askEngine(instance: EngineInstance, request: ctl.SmdQueryReq, wait: Wait): Promise<Engine> {
  const { index, superblock } = instance;
  const engine = { index, rank: superblock?.rank };
  try {
    return { ...engine, state: stateSuccess(), ...(await listsOf(instance, request, wait)) };
  } catch (error) {
    wait.signal.throwIfAborted();
    return { ...engine, state: stateFault(toFault(error)) };
  }
}

/** @throws Fault of the engine */
async function listsOf(instance: EngineInstance, request: ctl.SmdQueryReq, wait: Wait): Promise<Lists> {
  const { devices: wantsDevices, pools: wantsPools, health: wantsHealth } = request;
  const byTarget = wantsHealth && request.target !== "";
  const devices =
    wantsDevices || (wantsHealth && !byTarget)
      ? check(
          `list the devices of engine ${instance.index}`,
          await instance.call(drpcMethods.smdListDevs, {}, wait),
        ).devices
      : [];
  const pools = wantsPools
    ? check(
        `list the pools on the devices of engine ${instance.index}`,
        await instance.call(drpcMethods.smdListPools, {}, wait),
      ).pools
    : [];
  const health: mgmt.BioHealthResp[] = [];
  const ask = async (name: string, device: { readonly devUuid: string } | { readonly tgtId: string }) => {
    const answer = await instance.call(drpcMethods.bioHealthQuery, device, wait);
    health.push(check(`query the health of ${name} of engine ${instance.index}`, answer));
  };
  if (byTarget) await ask(`the device of target ${request.target}`, { tgtId: request.target });
  else if (wantsHealth)
    for (const { uuid } of devices.filter((device) => isMeant(device, request.device)))
      await ask(`device ${uuid}`, { devUuid: uuid });
  return { devices: wantsDevices ? devices : [], pools, health };
}

function isMeant({ uuid }: { readonly uuid: string }, device: string): boolean {
  return device === "" || uuid.toLowerCase() === device.toLowerCase();
}

/** @throws Fault of the status with which the engine refused */
function check<T extends { readonly status: number }>(attempted: string, answer: T): T {
  if (answer.status !== 0) throw faultDaosStatus(attempted, answer.status);
  return answer;
}
