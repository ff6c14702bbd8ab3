import { formatSize } from "@daos/cli";
import type { PoolEntry } from "@daos/control-client";
import { formatRankSet, parseRank } from "@daos/rank";

/** A pool in the result of a command. */
export function poolResult(pool: PoolEntry) {
  const { scmBytes, nvmeBytes, createdAt } = pool;
  return {
    ...pool,
    scmBytes: scmBytes ?? null,
    nvmeBytes: nvmeBytes ?? null,
    createdAt: createdAt?.toISOString() ?? null,
  };
}

/** The size per rank: `8.0 GiB + 200.0 GiB`, SCM first; `-` when it is not known. */
export function showPoolSize({ scmBytes, nvmeBytes }: PoolEntry): string {
  if (scmBytes === undefined) return "-";
  const scm = formatSize(Number(scmBytes));
  return nvmeBytes === undefined || nvmeBytes === 0n ? scm : `${scm} + ${formatSize(Number(nvmeBytes))}`;
}

/** The record of a pool as fields; empty for a server that does not record pools. */
export function recordedFields(pool: PoolEntry): readonly (readonly [string, string])[] {
  const { label, state, ranks, user, group, createdAt, createdBy, note } = pool;
  if (state === "unknown") return [];
  const fields: readonly (readonly [string, string])[] = [
    ["Label", label],
    ["State", note === "" ? state : `${state}: ${note}`],
    ["Size per rank", showPoolSize(pool)],
    ["Ranks", ranks.length === 0 ? "all when it was created" : formatRankSet(ranks.map(parseRank))],
    ["Owner", user === "" ? "" : `${user}, ${group}`],
    ["Created", createdBy === "" ? "" : `${createdAt?.toISOString() ?? ""} by ${createdBy}`],
  ];
  return fields.filter(([, value]) => value !== "");
}

/** The warning that pools are shown as they were recorded. */
export function outageNotes(outage: string): readonly string[] {
  return outage === "" ? [] : [`warning: the pools are as they were recorded: ${outage}`];
}
