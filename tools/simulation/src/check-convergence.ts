import { FaultCode } from "@daos/fault";
import { type EngineInstance, servingProblem } from "@daos/instance";
import type { Member } from "@daos/member-store";
import type { SimHost } from "./sim-host.ts";
import type { World } from "./world.ts";

/** An existing engine. */
interface Engine {
  readonly host: SimHost;
  readonly instance: EngineInstance;
}

/** Reports every violation of the expected state after a time without faults. */
export function checkConvergence(world: World): void {
  const { history } = world;
  const leaders = world.hosts.filter(({ server }) => server?.leadership.leadsHere === true);
  if (leaders.length !== 1) history.violate(`${leaders.length} hosts lead`);
  const engines = enginesByUuid(world);
  for (const member of history.list()) {
    const expected = statesOf(world, member, engines.get(member.uuid) ?? []);
    if (!expected.includes(member.state))
      history.violate(
        `rank ${member.rank} ${member.uuid} on ${member.address.host} is ${member.state} (${member.reason}), not ${expected.join(" or ")}: ${describe(engines.get(member.uuid) ?? [])}`,
      );
  }
  for (const [uuid, found] of engines) for (const engine of found) checkEngine(world, uuid, engine);
}

function enginesByUuid(world: World): Map<string, Engine[]> {
  const engines = new Map<string, Engine[]>();
  for (const host of world.hosts) {
    if (host.on && host.server === undefined && !refusedAsCopy(host))
      world.history.violate(`${host.name} has no server: ${host.endedBecause}`);
    for (const instance of host.server?.harness.instances ?? []) {
      const { superblock } = instance;
      if (superblock === undefined)
        world.history.violate(`${host.name} engine ${instance.index} is ${instance.state.kind}`);
      else engines.set(superblock.uuid, [...(engines.get(superblock.uuid) ?? []), { host, instance }]);
    }
  }
  return engines;
}

/**
 * All of its engines have identities of members on other hosts. Its server therefore ends, and is restarted from time to time.
 */
function refusedAsCopy({ endedBecause }: SimHost): boolean {
  return endedBecause?.includes(`code = ${FaultCode.memberElsewhere} `) === true;
}

function statesOf(world: World, member: Member, engines: readonly Engine[]): readonly Member["state"][] {
  if (member.state === "excluded") return ["excluded"];
  const own = engines.filter(({ host }) => host.address.host === member.address.host);
  if (own.length === 0) {
    // Its host reports every few seconds which engine it has instead.
    const lost: readonly Member["state"][] = ["errored", "replaced"];
    return world.network.at(member.address.host)?.server === undefined
      ? [...lost, "unresponsive", "stopped"]
      : lost;
  }
  return own.map(({ instance }) => {
    switch (instance.state.kind) {
      case "serving":
        return servingProblem(instance.state) === undefined ? "joined" : "errored";
      case "stopped":
        return "stopped";
      case "new":
      case "awaiting format":
      case "formatting":
      case "starting":
      case "restarting":
      case "failed":
        return "errored";
      default:
        return instance.state satisfies never;
    }
  });
}

/** Every running engine is a member that should run, and no engine waits forever. */
function checkEngine(world: World, uuid: string, { host, instance }: Engine): void {
  const member = world.history.get(uuid);
  const name = `engine ${instance.index} of ${host.name}, ${uuid},`;
  const elsewhere = member !== undefined && member.address.host !== host.address.host;
  const { state } = instance;
  if (state.kind === "serving") {
    if (member === undefined) {
      if (!world.copied.has(uuid)) world.history.violate(`${name} serves and is no member`);
    } else if (member.rank !== state.rank)
      world.history.violate(`${name} serves as rank ${state.rank}, and is rank ${member.rank}`);
    else if (!elsewhere && member.state === "excluded" && servingProblem(state) === undefined)
      world.history.violate(`${name} serves, and is excluded`);
    else if (
      !elsewhere &&
      member.state === "joined" &&
      !world.copied.has(uuid) &&
      !hasGroupMap(host, instance)
    )
      world.history.violate(`${name} is joined, but the data plane does not know its process`);
    // An engine whose identity was taken over by a copy while its host was disconnected is not informed, and continues.
    else if (elsewhere && member.state !== "excluded" && !world.copied.has(uuid))
      world.history.violate(`${name} serves, and is a member on ${member.address.host}`);
  }
  const waits = state.kind !== "serving" && state.kind !== "stopped" && state.kind !== "failed";
  if (waits && !elsewhere && member?.state !== "excluded")
    world.history.violate(`${name} is still ${state.kind}; the member ${JSON.stringify(member)}`);
}

function hasGroupMap({ server }: SimHost, { index }: EngineInstance): boolean {
  return server?.engines[index]?.process?.hasGroupMap === true;
}

function describe(engines: readonly Engine[]): string {
  return engines
    .map(({ host, instance }) => `${instance.state.kind} ${instance.incarnation} on ${host.name}`)
    .join(", ");
}
