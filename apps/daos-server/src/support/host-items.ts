import { readFile } from "node:fs/promises";
import { hostname, release, uptime } from "node:os";
import type { BdevOperations } from "@daos/bdev";
import { renderServerConfig, type ServerConfig } from "@daos/config";
import { errorText } from "@daos/fault";
import type { NetworkProvider } from "@daos/network";
import type { ScmOperations } from "@daos/scm";
import { certificateStatus } from "@daos/security";
import { readTail, type SupportItem } from "@daos/support";
import type { Argv, CommandRunner } from "@daos/sys";
import { DAOS_RELEASE, VERSION } from "../release.ts";
import { jsonText } from "./json-text.ts";

export interface HostItemsOptions {
  /** Undefined when it cannot be read. The only log is then the journal. */
  readonly config: ServerConfig | undefined;
  /** Whether to include the journal although the configuration names a log file. */
  readonly withJournal?: boolean;
  readonly scm: Pick<ScmOperations, "scan">;
  readonly bdev: Pick<BdevOperations, "scan">;
  readonly network: Pick<NetworkProvider, "scan">;
  readonly runner: CommandRunner;
  /** The maximum size of each log's end. */
  readonly logBytes: number;
}

export const MAX_CONFIG = 1024 * 1024;
/** Matches kernel messages about the devices and resources of DAOS. */
const DEVICE_LINES =
  /nvme|pmem|\bnd_|nvdimm|\bdax\b|cxl|vfio|iommu|mlx|hfi1|infiniband|\bib\d|irdma|bnxt|ext4|tmpfs|blk_|I\/O error|huge|oom|out of memory|hung task|blocked for more|mce|machine check|pcie|aer:|daos/i;
const JOURNAL: Argv = [
  "journalctl",
  "-u",
  "daos_server",
  "-n",
  "20000",
  "--no-pager",
  "-o",
  "short-iso-precise",
];

/** `daos-support-node1`: the directory in the archive of this host. */
export function supportDirectory(): string {
  return `daos-support-${hostname().replace(/[^\w.-]/g, "_")}`;
}

/** The configuration file, and the configuration in force with its defaults. */
export function configItems(config: ServerConfig): readonly SupportItem[] {
  return [
    { name: "config/daos_server.yml", read: () => readTail(config.path, MAX_CONFIG) },
    { name: "config/in-force.yml", read: async () => renderServerConfig(config) },
  ];
}

/** The items of this host that do not need its running server. They contain no keys. */
export function hostItems(options: HostItemsOptions): readonly SupportItem[] {
  const { config, scm, bdev, network, runner, logBytes } = options;
  const { withJournal = config?.controlLogFile === undefined } = options;
  const output = async (argv: Argv, { signal }: { readonly signal: AbortSignal }) => {
    const { exitCode, stdout, stderr } = await runner.run(argv, { signal });
    if (exitCode !== 0) throw new Error(`${argv[0]} failed: ${stderr.trim() || `exit code ${exitCode}`}`);
    return stdout;
  };
  const logs: readonly (readonly [string, string | undefined])[] = [
    ["daos_server.log", config?.controlLogFile],
    ["audit.log", config?.auditLogFile],
    ["daos_admin.log", config?.helperLogFile],
    ...(config?.engines ?? []).map(({ index, logFile }) => [`engine-${index}.log`, logFile] as const),
  ];
  return [
    { name: "versions.json", read: async () => jsonText(versions()) },
    ...(config === undefined ? [] : [certificates(config)]),
    ...(withJournal ? [journal(runner)] : []),
    ...logs.flatMap(([name, path]) =>
      path === undefined ? [] : [{ name: `logs/${name}`, read: () => readTail(path, logBytes) }],
    ),
    {
      name: "storage-scan.json",
      read: async (wait) =>
        jsonText({ nvme: await orReason(bdev.scan(wait)), scm: await orReason(scm.scan(wait)) }),
    },
    { name: "network-scan.json", read: async (wait) => jsonText(await network.scan(undefined, wait)) },
    {
      name: "dmesg-devices.log",
      read: async (wait) => {
        const lines = (await output(["dmesg", "--time-format", "iso"], wait)).split("\n");
        return lines.filter((line) => DEVICE_LINES.test(line)).join("\n");
      },
    },
    { name: "lspci.txt", read: (wait) => output(["lspci", "-nnk"], wait) },
    { name: "disk-space.txt", read: (wait) => output(["df", "-hT"], wait) },
    ...["meminfo", "self/mountinfo", "cpuinfo", "cmdline", "self/limits"].map((name) => ({
      name: `proc/${name.replace("self/", "")}`,
      read: () => readFile(`/proc/${name}`, "utf8"),
    })),
  ];
}

function certificates({ transport }: ServerConfig): SupportItem {
  return {
    name: "certificates.json",
    read: async () => {
      if (transport.allowInsecure) throw new Error("transport_config has allow_insecure: there are none");
      return jsonText(await certificateStatus(transport, { role: "server" }));
    },
  };
}

/** journalctl also succeeds without entries, and when this user may not read them. */
function journal(runner: CommandRunner): SupportItem {
  return {
    name: "logs/journal.log",
    read: async ({ signal }) => {
      const { exitCode, stdout, stderr } = await runner.run(JOURNAL, { signal });
      const hint = stderr.trim();
      if (exitCode !== 0) throw new Error(`journalctl failed: ${hint || `exit code ${exitCode}`}`);
      if (/^(?:-- No entries --)?$/.test(stdout.trim()))
        throw new Error(`the journal has no lines of the unit daos_server${hint && `: ${hint}`}`);
      return stdout;
    },
  };
}

function versions(): object {
  return {
    server: VERSION,
    daosRelease: DAOS_RELEASE,
    node: process.versions.node,
    openssl: process.versions.openssl,
    kernel: release(),
    host: hostname(),
    uptimeSeconds: Math.round(uptime()),
    collectedAt: new Date().toISOString(),
    user: process.getuid?.(),
  };
}

/** Replaces a failure by its reason, so that a failed part does not hide the other one. */
async function orReason<T>(scan: Promise<T>): Promise<T | { readonly failed: string }> {
  return scan.catch((error: unknown) => ({ failed: errorText(error) }));
}
