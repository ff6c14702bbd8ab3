import type { ControlClient, MemberStatus } from "@daos/control-client";
import { countOf, Fault, FaultCode } from "@daos/fault";
import { faultSize } from "../parse-size.ts";
import { checkMinSize, type RankUsage, shareOf, type WantedSize } from "./pool-size.ts";

/** SCM and NVMe of a pool on each of its ranks, bytes. */
export interface RankSizes {
  readonly scmBytes: bigint;
  readonly nvmeBytes: bigint;
}

/** The share of SCM in a pool's size, in hundredths of a percent. As in DAOS 2.x. */
const DEFAULT_RATIO = 600n;
const WHOLE = 10_000n;
const BLOCK = 4096n;

/**
 * Reads `--tier-ratio`: the percentage of SCM (`6`), or those of SCM and NVMe (`6,94`).
 *
 * @returns the share of SCM, in hundredths of a percent
 * @throws Fault sizeInvalid
 */
export function parseTierRatio(text: string | undefined): bigint {
  if (text === undefined) return DEFAULT_RATIO;
  const [scm, nvme, ...more] = text.split(",").map(parsePercent);
  const isRatio = scm !== undefined && scm > 0n && scm <= WHOLE && more.length === 0;
  if (!isRatio || (text.includes(",") && nvme !== WHOLE - scm))
    throw faultSize(
      `--tier-ratio ${text} cannot be used`,
      "give the percentage of SCM, as in 6, or those of SCM and NVMe, which are 100 together, as in 6,94",
    );
  return scm;
}

/** In hundredths of a percent. */
function parsePercent(text: string): bigint | undefined {
  const match = /^\s*(\d{1,3})(?:\.(\d{1,2}))?\s*%?\s*$/.exec(text);
  return match === null ? undefined : BigInt(match[1] ?? 0) * 100n + BigInt((match[2] ?? "").padEnd(2, "0"));
}

/** Divides the size of a whole pool between its ranks, and there between SCM and NVMe. @throws Fault sizeInvalid */
export function divideTotal(total: bigint, ranks: number, scmShare: bigint): RankSizes {
  if (ranks === 0) throw faultNoRanks(0, 1);
  const perRank = total / BigInt(ranks);
  const scmBytes = ((perRank * scmShare) / WHOLE / BLOCK) * BLOCK;
  const nvmeBytes = scmShare === WHOLE ? 0n : ((perRank - scmBytes) / BLOCK) * BLOCK;
  checkMinSize({ kind: "bytes", bytes: scmBytes }, `the SCM of --size on each of ${countOf(ranks, "rank")}`);
  return { scmBytes, nvmeBytes };
}

/**
 * A share of the storage of the smallest rank: of the free SCM, and of the whole NVMe, because only the engine knows how much
 * NVMe is used. Without NVMe the pool has SCM only.
 *
 * @throws Fault sizeInvalid
 */
export function shareOfBoth(
  size: Extract<WantedSize, { kind: "share" }>,
  usages: readonly RankUsage[],
): RankSizes {
  const scmBytes = shareOf(size, "scm", usages, "free");
  const hasNvme = usages.every(({ usage: { nvme } }) => nvme.kind === "unknown" || nvme.totalBytes > 0n);
  return { scmBytes, nvmeBytes: hasNvme ? shareOf(size, "nvme", usages, "whole") : 0n };
}

/** Chooses serving ranks for a pool, from as many hosts as possible. @throws Fault memberUnknown for too few */
export function chooseRanks(members: readonly MemberStatus[], count: number): readonly number[] {
  const serving = members.filter(serves);
  if (serving.length < count) throw faultNoRanks(serving.length, count);
  const onHost = new Map<string, number>();
  const inTurn = serving.map(({ rank, address }) => {
    const turn = onHost.get(address) ?? 0;
    onHost.set(address, turn + 1);
    return { rank, turn };
  });
  return inTurn
    .sort((a, b) => a.turn - b.turn || a.rank - b.rank)
    .slice(0, count)
    .map(({ rank }) => rank)
    .sort((a, b) => a - b);
}

/** The number of serving ranks. @throws Fault */
export async function countServing(client: ControlClient): Promise<number> {
  const { systemQuery } = await import("@daos/control-client");
  return (await systemQuery(client)).members.filter(serves).length;
}

/** Servers of release 0.8.0 do not report the state. */
function serves({ state }: MemberStatus): boolean {
  return state === "joined" || state === "unknown";
}

function faultNoRanks(found: number, wanted: number): Fault {
  return new Fault({
    domain: "system",
    code: FaultCode.memberUnknown,
    description: `a pool cannot be on ${countOf(wanted, "rank")}: ${found} of the system ${found === 1 ? "serves" : "serve"}`,
    resolution: "see dmg system query, or give a smaller --nranks",
  });
}
