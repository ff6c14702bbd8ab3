import { createReadStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { formatSize, formatTable } from "@daos/cli";
import {
  type ControlClient,
  leaderQuery,
  listPools,
  type SupportArchive,
  serverVersions,
  supportCollect,
  systemEvents,
  systemQuery,
} from "@daos/control-client";
import type { Fault } from "@daos/fault";
import { formatHostAddress, formatHostSet, type HostAddress } from "@daos/hostlist";
import {
  checkArchiveName,
  faultArchiveNotWritten,
  packSupport,
  removeOnSignals,
  type SupportItem,
  writeArchive,
} from "@daos/support";
import type { Answer } from "../answer.ts";
import { dmgVersion } from "../commands/version.ts";
import type { CommandContext } from "../define-command.ts";
import { everyHost } from "../system/every-host.ts";
import { ArchiveFiles } from "./archive-files.ts";

/** All hosts together; each has its own limit. */
const MAX_BYTES = 64 * 1024 ** 3;
/** The limit of the requests to the leader, which follow the archives of the hosts. */
const ITEM_TIMEOUT_MS = 15 * 60_000;

type Answers = readonly { readonly host: HostAddress; readonly value: SupportArchive }[];

/** Receives the archives of all hosts, and writes them into one archive with the leader's data. */
export async function collectLogs(
  { connect, collect }: Pick<CommandContext<never>, "connect" | "collect">,
  { output, logMib }: { readonly output: string; readonly logMib: number },
): Promise<Answer> {
  await checkArchiveName(output);
  const connection = await connect();
  // Beside the file that they go into: there is room for both.
  const directory = await mkdtemp(`${output}.parts-`).catch((error: unknown) => {
    throw faultArchiveNotWritten(output, error);
  });
  using _unfinished = removeOnSignals(directory);
  // It concerns all hosts: the next piece of each is refused for it.
  let notWritten: Fault | undefined;
  const write = async (files: ArchiveFiles, host: HostAddress, bytes: Uint8Array) => {
    if (notWritten !== undefined) throw notWritten;
    try {
      await files.write(host, bytes);
    } catch (error) {
      notWritten ??= faultArchiveNotWritten(output, error);
      throw notWritten;
    }
  };
  try {
    const { client, unlisted } = await everyHost(connection);
    await using files = new ArchiveFiles(directory);
    const { answers, failures } = await collect(client, (onProgress) =>
      supportCollect(client, { logMib, onChunk: (host, bytes) => write(files, host, bytes), onProgress }),
    );
    if (notWritten !== undefined) throw notWritten;
    const hosts = answers.map(({ host, value }): SupportItem => {
      const { path, name } = files.of(host);
      return {
        name: `hosts/${name}`,
        read: async () => ({ size: value.bytes, parts: createReadStream(path) }),
      };
    });
    const failed = failures.map(({ host, fault }) => ({
      item: host === undefined ? "hosts" : `hosts/${formatHostAddress(host)}`,
      reason: fault.message,
    }));
    if (answers.length === 0) {
      return {
        result: { archive: null, bytes: 0, hosts: [], missing: failed },
        text: () => "",
        anySucceeded: false,
        failures,
        notes: ["no archive was written, because no host sent one"],
      };
    }
    const unasked = unlisted && [
      { item: "hosts", reason: `only those of the configuration were asked: ${unlisted.message}` },
    ];
    const { bytes, missing } = await writeArchive(
      output,
      packSupport([...systemItems(client, connection), ...hosts], {
        directory: `daos-support-${connection.system.replace(/[^\w.-]/g, "_")}`,
        missing: [...failed, ...(unasked ?? [])],
        maxBytes: MAX_BYTES,
        itemTimeoutMs: ITEM_TIMEOUT_MS,
        signal: client.signal ?? new AbortController().signal,
      }),
    );
    return {
      result: {
        archive: output,
        bytes,
        hosts: answers.map(({ host, value }) => ({ host: formatHostAddress(host), ...value })),
        missing,
      },
      text: (width) => summary(output, bytes, answers, width),
      anySucceeded: answers.length > 0,
      failures,
      notes: missing.slice(failed.length).map(({ item, reason }) => `missing: ${item}: ${reason}`),
    };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** The items that belong to no single host. */
function systemItems(
  all: ControlClient,
  { client, system }: { readonly client: ControlClient; readonly system: string },
): readonly SupportItem[] {
  const own = { version: dmgVersion(), node: process.versions.node, hosts: all.hosts.map(formatHostAddress) };
  return [
    { name: "dmg.json", read: async () => json(own) },
    {
      name: "versions.json",
      read: async () => {
        const versions: Record<string, unknown> = {};
        for await (const { host, outcome } of serverVersions(all))
          versions[formatHostAddress(host)] = outcome.kind === "ok" ? outcome.value : outcome.fault.message;
        return json(versions);
      },
    },
    { name: "leader.json", read: async () => json(await leaderQuery(client, { system })) },
    { name: "members.json", read: async () => json((await systemQuery(client)).members) },
    { name: "pools.json", read: async () => json(await listPools(client, { system })) },
    {
      name: "events.json",
      read: async () => {
        const events: unknown[] = [];
        await systemEvents(client, { follow: false, onEvent: (event) => void events.push(event) });
        return json(events);
      },
    },
  ];
}

function json(value: unknown): string {
  const plain = (_key: string, one: unknown) => (typeof one === "bigint" ? `${one}` : one);
  return `${JSON.stringify(value, plain, 2)}\n`;
}

function summary(output: string, bytes: number, answers: Answers, width: number): string {
  const rows = answers.map(({ host, value }) => [
    formatHostSet([host]),
    formatSize(value.bytes),
    value.missing.map(({ item }) => item).join(" "),
  ]);
  const table = formatTable({ columns: ["Host", "Size", "Missing there"], rows }, width);
  const last = `${output}: ${formatSize(bytes)}, hosts: ${answers.length}`;
  return rows.length === 0 ? last : `${table}\n\n${last}`;
}
