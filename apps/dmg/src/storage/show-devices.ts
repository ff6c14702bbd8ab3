import { formatTable } from "@daos/cli";
import type { SmdDevice, SmdPool } from "@daos/control-client";
import { type AskedEngine, placeOf, showRank } from "./ask-engines.ts";

/** The host and rank of a device or a pool; null when they are unknown, as with servers of release 0.8.0. */
interface Place {
  readonly host: string | null;
  readonly rank: number | null;
}

export type FoundDevice = SmdDevice & Place;
export type FoundPool = SmdPool & Place;

/** The devices of the engines, each with its host and rank. */
export function devicesOf(engines: readonly AskedEngine[]): readonly FoundDevice[] {
  return engines.flatMap((engine) => engine.devices.map((device) => ({ ...placeOf(engine), ...device })));
}

/** The pools on the devices of the engines, each with its host and rank. */
export function poolsOf(engines: readonly AskedEngine[]): readonly FoundPool[] {
  return engines.flatMap((engine) => engine.pools.map((pool) => ({ ...placeOf(engine), ...pool })));
}

export function showDevices(devices: readonly FoundDevice[], width: number): string {
  if (devices.length === 0) return "No devices";
  const rows = devices.map(({ host, rank, uuid, targets }) => [
    host ?? "-",
    showRank(rank),
    uuid,
    targets.join(" "),
  ]);
  return formatTable({ columns: ["Host", "Rank", "Device UUID", "Targets"], rows }, width);
}

export function showPools(pools: readonly FoundPool[], width: number): string {
  if (pools.length === 0) return "No pools";
  const rows = pools.map(({ host, rank, uuid, targets, blobs }) => [
    host ?? "-",
    showRank(rank),
    uuid,
    targets.join(" "),
    blobs.join(" "),
  ]);
  return formatTable({ columns: ["Host", "Rank", "Pool UUID", "Targets", "Blobs"], rows }, width);
}
