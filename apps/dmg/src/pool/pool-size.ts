import type { ControlClient, EngineUsage, SystemMember, UsagePart } from "@daos/control-client";
import { Fault, FaultCode } from "@daos/fault";
import { formatHostSet, type HostAddress, parseHostAddress } from "@daos/hostlist";
import { formatRankSet, parseRank } from "@daos/rank";
import { faultSize, parseSize } from "../parse-size.ts";

/** A size as the operator writes it: bytes, or a share of the rank's storage. */
export type WantedSize =
  | { readonly kind: "bytes"; readonly bytes: bigint }
  /** In hundredths of a percent, to stay a whole number. */
  | { readonly kind: "share"; readonly parts: bigint; readonly text: string };

const WHOLE = 10_000n;
/** The data plane allocates blocks of this size. A share is rounded down to it. */
const BLOCK = 4096n;

/** Reads `1G`, `500MB`, `10%` or `2.5%`. @throws Fault sizeInvalid */
export function parseWantedSize(text: string): WantedSize {
  if (!text.trim().endsWith("%")) return { kind: "bytes", bytes: parseSize(text) };
  const match = /^\s*(\d{1,3})(?:\.(\d{1,2}))?\s*%\s*$/.exec(text);
  const parts = match === null ? 0n : BigInt(match[1] ?? 0) * 100n + BigInt((match[2] ?? "").padEnd(2, "0"));
  if (parts === 0n || parts > WHOLE) {
    throw faultSize(`"${text}" is not a share of the storage: it is more than 0 % and at most 100 %`);
  }
  return { kind: "share", parts, text: text.trim() };
}

/** A number without a unit, as in `-s 256`, is probably a mistake: a pool of 256 bytes is useless. */
const MIN_BYTES = 1024n ** 2n;

/**
 * Refuses a size below the useful minimum. @param flag as the operator gave it: `--scm-size 256` @throws Fault
 * sizeInvalid
 */
export function checkMinSize(size: WantedSize, flag: string): void {
  if (size.kind === "share" || size.bytes >= MIN_BYTES) return;
  throw faultSize(
    `${flag} is ${size.bytes} bytes, and a pool needs 1 MiB or more`,
    "give a unit, as in 256M",
  );
}

/** The size of one rank's storage. */
export interface RankUsage {
  readonly rank: number;
  readonly host: HostAddress;
  readonly usage: Pick<EngineUsage, "scm" | "nvme">;
}

/**
 * The bytes of a share of the smallest rank. A pool has the same size on each rank. The share is of the whole size, in
 * use or not.
 *
 * @throws Fault when the size of a rank is unknown
 */
export function shareBytes(size: WantedSize, part: "scm" | "nvme", ranks: readonly RankUsage[]): bigint {
  return size.kind === "bytes" ? size.bytes : shareOf(size, part, ranks, "whole");
}

/**
 * The bytes of a share of the smallest rank, of its whole storage or of its free storage.
 *
 * @throws Fault when the size of a rank is unknown
 */
export function shareOf(
  size: Extract<WantedSize, { kind: "share" }>,
  part: "scm" | "nvme",
  ranks: readonly RankUsage[],
  of: "whole" | "free",
): bigint {
  const name = { scm: "SCM", nvme: "NVMe" }[part];
  let least: { readonly bytes: bigint; readonly rank: number } | undefined;
  for (const one of ranks) {
    const usage: UsagePart<{ readonly totalBytes: bigint; readonly availableBytes?: bigint }> =
      one.usage[part];
    if (usage.kind === "unknown") throw faultNoTotal(`${size.text} of the ${name}`, [one], usage.fault);
    const bytes = of === "free" ? (usage.availableBytes ?? usage.totalBytes) : usage.totalBytes;
    if (least === undefined || bytes < least.bytes) least = { bytes, rank: one.rank };
  }
  if (least === undefined) throw new Error("a share of no ranks");
  const bytes = ((least.bytes * size.parts) / WHOLE / BLOCK) * BLOCK;
  if (bytes > 0n) return bytes;
  throw faultSize(
    least.bytes === 0n
      ? `${size.text} of the ${name} is nothing: rank ${least.rank} has no ${of === "free" ? "free " : ""}${name}`
      : `${size.text} of the ${name} of rank ${least.rank}, ${least.bytes} bytes, is less than a block`,
  );
}

/** The members with these ranks; all members when no rank is given. @throws Fault memberUnknown for an unknown rank */
async function chooseMembers(
  client: ControlClient,
  wanted: readonly number[],
): Promise<readonly SystemMember[]> {
  const { systemMemberQuery } = await import("@daos/control-client");
  const members = await systemMemberQuery(client);
  if (wanted.length === 0) return members;
  const missing = wanted.filter((rank) => !members.some((one) => one.rank === rank));
  if (missing.length > 0) throw faultNoSuchRank(missing);
  return members.filter(({ rank }) => wanted.includes(rank));
}

/**
 * The storage sizes of some ranks, as reported by their hosts; of all ranks when none is given.
 *
 * @throws Fault when the leader or a host does not answer
 */
export async function rankUsages(
  client: ControlClient,
  wanted: readonly number[],
): Promise<readonly RankUsage[]> {
  const { storageUsage } = await import("@daos/control-client");
  const chosen = await chooseMembers(client, wanted);
  const places = new Map(chosen.map(({ rank, address }) => [rank, parseHostAddress(address)]));
  if (places.size === 0) throw faultNoMembers();
  const found = new Map<number, RankUsage>();
  const hosts = new Map([...places.values()].map((host) => [JSON.stringify(host), host]));
  for await (const { host, outcome } of storageUsage(client.to([...hosts.values()]))) {
    if (outcome.kind === "failed") throw outcome.fault;
    for (const { rank, scm, nvme } of outcome.value) {
      if (rank !== undefined && places.has(rank)) found.set(rank, { rank, host, usage: { scm, nvme } });
    }
  }
  const silent = [...places].filter(([rank]) => !found.has(rank));
  if (silent.length > 0) {
    throw faultNoTotal(
      "a share of the storage",
      silent.map(([rank, host]) => ({ rank, host })),
      undefined,
    );
  }
  return [...found.values()].sort((a, b) => a.rank - b.rank);
}

function faultNoTotal(
  what: string,
  places: readonly Pick<RankUsage, "rank" | "host">[],
  cause: Fault | undefined,
): Fault {
  const ranks = formatRankSet(places.map(({ rank }) => parseRank(rank)));
  const hosts = formatHostSet(places.map(({ host }) => host));
  return new Fault({
    domain: "client",
    code: FaultCode.sizeInvalid,
    description: `${what} cannot be calculated: the size of rank ${ranks} on ${hosts} is not known`,
    reason: cause?.message ?? "its host does not list it among its engines",
    resolution: `see dmg -l ${hosts} storage query usage, or give a size such as 10G`,
    cause,
  });
}

function faultNoSuchRank(ranks: readonly number[]): Fault {
  return new Fault({
    domain: "system",
    code: FaultCode.memberUnknown,
    description: `the system has no rank ${formatRankSet(ranks.map((rank) => parseRank(rank)))}`,
    resolution: "list the ranks with: dmg system query",
  });
}

function faultNoMembers(): Fault {
  return new Fault({
    domain: "system",
    code: FaultCode.systemNotReady,
    description: "a share of the storage cannot be calculated: the system has no members yet",
    resolution: "wait until dmg system query shows the ranks, then try again",
  });
}
