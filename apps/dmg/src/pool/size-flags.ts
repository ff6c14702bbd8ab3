import { faultUsage } from "@daos/cli";
import type { ControlClient } from "@daos/control-client";
import { faultSize } from "../parse-size.ts";
import { checkMinSize, parseWantedSize, rankUsages, shareBytes, type WantedSize } from "./pool-size.ts";
import { countServing, divideTotal, parseTierRatio, type RankSizes, shareOfBoth } from "./total-size.ts";

/** The flags of a pool's size. */
export interface SizeFlags {
  readonly "scm-size"?: string | undefined;
  readonly "nvme-size"?: string | undefined;
  readonly size?: string | undefined;
  readonly "tier-ratio"?: string | undefined;
}

/** The size that the flags request. */
export type WantedSizes =
  | { readonly kind: "per-rank"; readonly scm: WantedSize; readonly nvme: WantedSize }
  /** `scmShare` in hundredths of a percent. */
  | { readonly kind: "whole"; readonly size: WantedSize; readonly scmShare: bigint };

/** @throws Fault usage, sizeInvalid */
export function parseSizes(flags: SizeFlags): WantedSizes {
  const { "scm-size": scmSize, size } = flags;
  if (scmSize !== undefined && size !== undefined)
    throw faultUsage("--scm-size and --size exclude each other", HOW);
  if (size !== undefined) return parseWhole(size, flags);
  if (scmSize === undefined) throw faultUsage("--scm-size or --size is missing", HOW);
  return parsePerRank(scmSize, flags);
}

const HOW = "give sizes per rank with --scm-size and --nvme-size, or that of the whole pool with --size";

function parseWhole(text: string, flags: SizeFlags): WantedSizes {
  const { "nvme-size": nvmeSize, "tier-ratio": ratio } = flags;
  if (nvmeSize !== undefined)
    throw faultUsage("--nvme-size and --size exclude each other", "give --tier-ratio with --size");
  const size = parseWantedSize(text);
  if (size.kind === "share" && ratio !== undefined)
    throw faultUsage(
      "--tier-ratio is not for a percentage",
      "leave it out: --size 10% is a share of the SCM and of the NVMe",
    );
  return { kind: "whole", size, scmShare: parseTierRatio(ratio) };
}

function parsePerRank(scmSize: string, flags: SizeFlags): WantedSizes {
  const { "nvme-size": nvmeSize = "0", "tier-ratio": ratio } = flags;
  if (ratio !== undefined) throw faultUsage("--tier-ratio is for --size only", HOW);
  const scm = parseWantedSize(scmSize);
  if (scm.kind === "bytes" && scm.bytes === 0n) throw faultSize("a pool needs SCM: --scm-size is 0");
  checkMinSize(scm, `--scm-size ${scmSize}`);
  const nvme = parseWantedSize(nvmeSize);
  if (nvme.kind === "share" || nvme.bytes > 0n) checkMinSize(nvme, `--nvme-size ${nvmeSize}`);
  return { kind: "per-rank", scm, nvme };
}

/** The size of the pool on each rank, and whether it was calculated. @throws Fault */
export async function sizesPerRank(
  client: ControlClient,
  wanted: WantedSizes,
  ranks: readonly number[],
): Promise<RankSizes & { readonly calculated: boolean }> {
  if (wanted.kind === "whole") {
    const { size, scmShare } = wanted;
    if (size.kind === "share")
      return { ...shareOfBoth(size, await rankUsages(client, ranks)), calculated: true };
    const count = ranks.length === 0 ? await countServing(client) : ranks.length;
    return { ...divideTotal(size.bytes, count, scmShare), calculated: true };
  }
  const { scm, nvme } = wanted;
  const calculated = scm.kind === "share" || nvme.kind === "share";
  const usages = calculated ? await rankUsages(client, ranks) : [];
  return {
    scmBytes: shareBytes(scm, "scm", usages),
    nvmeBytes: shareBytes(nvme, "nvme", usages),
    calculated,
  };
}
