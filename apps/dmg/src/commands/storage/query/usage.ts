import { formatSize, formatTable } from "@daos/cli";
import type { EngineUsage } from "@daos/control-client";
import { formatHostAddress, formatHostSet } from "@daos/hostlist";
import { defineCommand } from "../../../define-command.ts";
import { WATCH_FLAG } from "../../../global-flags.ts";
import { groupHosts } from "../../../output/group-hosts.ts";

/** `dmg storage query usage`, as in later releases of DAOS. */
export const usageCommand = defineCommand({
  name: "storage query usage",
  alias: "u",
  summary: "Show how large the storage of the engines is, and how much of the SCM is in use",
  description:
    "The used NVMe is not shown, because engines of release 0.8.0 do not report it. The size of NVMe is that of the devices in bdev_list.",
  examples: [
    { text: "Every host", line: "-l node[1-8] storage query usage" },
    { text: "Every engine", line: "storage query usage --verbose" },
  ],
  flags: {
    verbose: { type: "boolean", char: "v", summary: "one line for each engine, with its rank" },
    watch: WATCH_FLAG,
  },
  run: async ({ flags, connect, collect }) => {
    const { client } = await connect();
    const { storageUsage } = await import("@daos/control-client");
    const { answers, failures } = await collect(client, storageUsage(client), (engines) =>
      engines
        .flatMap(({ scm, nvme }) => [scm, nvme])
        .flatMap((part) => (part.kind === "unknown" ? [part.fault] : [])),
    );
    return {
      result: {
        hosts: answers.map(({ host, value }) => ({
          host: formatHostAddress(host),
          engines: value.map(toJson),
        })),
      },
      text: (width) => {
        const rows = answers.flatMap(({ host, value }) =>
          flags.verbose ? value.map((engine) => ({ host, value: [engine] })) : [{ host, value }],
        );
        if (rows.length === 0) return "";
        return flags.verbose ? verboseTable(rows, width) : hostTable(rows, width);
      },
      anySucceeded: answers.length > 0,
      failures,
    };
  },
});

type Rows = Parameters<typeof groupHosts<readonly EngineUsage[]>>[0];

const SIZES = ["SCM-Total", "SCM-Free", "SCM-Used", "NVMe-Total"];

function hostTable(rows: Rows, width: number): string {
  const groups = groupHosts(rows, (engines) => sizesOf(engines).join("|"));
  return formatTable(
    {
      columns: ["Hosts", ...SIZES],
      rows: groups.map(({ label, value }) => [label, ...sizesOf(value)]),
    },
    width,
  );
}

function verboseTable(rows: Rows, width: number): string {
  return formatTable(
    {
      columns: ["Host", "Rank", "SCM Mount", ...SIZES],
      rows: [...rows].flatMap(({ host, value }) =>
        value.map((engine) => [
          formatHostSet([host]),
          engine.rank === undefined ? "-" : `${engine.rank}`,
          engine.mount,
          ...sizesOf([engine]),
        ]),
      ),
    },
    width,
  );
}

/** The sums over some engines; `?` when one of the sizes is unknown. */
function sizesOf(engines: readonly EngineUsage[]): readonly string[] {
  const sum = (sizes: readonly (bigint | undefined)[]) =>
    sizes.reduce<bigint | undefined>(
      (total, size) => (total === undefined || size === undefined ? undefined : total + size),
      0n,
    );
  const show = (bytes: bigint | undefined) => (bytes === undefined ? "?" : formatSize(Number(bytes)));
  const total = sum(engines.map(({ scm }) => (scm.kind === "known" ? scm.totalBytes : undefined)));
  const free = sum(engines.map(({ scm }) => (scm.kind === "known" ? scm.availableBytes : undefined)));
  const nvme = sum(engines.map(({ nvme: part }) => (part.kind === "known" ? part.totalBytes : undefined)));
  const used =
    total === undefined || free === undefined || total === 0n
      ? "?"
      : `${Math.round(Number(((total - free) * 1000n) / total) / 10)} %`;
  return [show(total), show(free), used, show(nvme)];
}

function toJson({ index, rank, mount, scm, nvme }: EngineUsage) {
  return {
    index,
    rank: rank ?? null,
    mount,
    scm: scm.kind === "known" ? { totalBytes: scm.totalBytes, availableBytes: scm.availableBytes } : null,
    nvme: nvme.kind === "known" ? { totalBytes: nvme.totalBytes } : null,
  };
}
