import { formatTable } from "@daos/cli";
import type { FormatResult, StorageFormat } from "@daos/control-client";
import { formatHostAddress } from "@daos/hostlist";
import { defineCommand } from "../../define-command.ts";
import { groupHosts } from "../../output/group-hosts.ts";

/** `dmg storage format`. @see DAOS 0.8.0 src/control/cmd/dmg/storage.go storageFormatCmd */
export const storageFormatCommand = defineCommand({
  name: "storage format",
  alias: "f",
  summary: "Format the configured storage of the hosts",
  description:
    "Servers whose storage is not formatted wait for this command before they start their engines. All data on the storage is lost.",
  examples: [
    { text: "First start of a system", line: "-l node[1-8] storage format" },
    {
      text: "Format again, also storage with data",
      line: "-l node3 storage format --reformat",
    },
  ],
  flags: {
    verbose: { type: "boolean", char: "v", summary: "show the result of every mount point and device" },
    reformat: { type: "boolean", summary: "format also storage with data; the data is lost" },
  },
  run: async ({ flags, connect, collect }) => {
    const { client } = await connect();
    const { storageFormat } = await import("@daos/control-client");
    const { answers, failures } = await collect(
      client,
      (onProgress) => storageFormat(client, { reformat: flags.reformat, onProgress }),
      ({ scm, nvme }) => [...scm, ...nvme].flatMap(({ fault }) => fault ?? []),
    );
    return {
      result: {
        hosts: answers.map(({ host, value: { scm, nvme } }) => ({
          host: formatHostAddress(host),
          scm: scm.map(resultJson),
          nvme: nvme.map(resultJson),
        })),
      },
      text: (columns) => showFormat(answers, flags.verbose, columns),
      anySucceeded: answers.some(({ value }) => isOk(value)),
      failures,
    };
  },
});

function isOk({ scm, nvme }: StorageFormat): boolean {
  return [...scm, ...nvme].every(({ fault }) => fault === undefined);
}

function resultJson({ target, fault }: FormatResult) {
  return { target, ok: fault === undefined, code: fault?.code ?? 0, message: fault?.message ?? "" };
}

type Answers = Parameters<typeof groupHosts<StorageFormat>>[0];

function showFormat(answers: Answers, verbose: boolean, width: number): string {
  if (!verbose) {
    return groupHosts(answers, (value) => `${isOk(value)}`)
      .map(({ label, value }) => `${label}: storage format ${isOk(value) ? "ok" : "failed"}`)
      .join("\n");
  }
  return groupHosts(answers)
    .map(({ label, value: { scm, nvme } }) => {
      const line = "-".repeat(Math.min(width, label.length));
      const tables = [
        ["SCM Mount", scm],
        ["NVMe PCI", nvme],
      ] as const;
      const shown = tables
        .filter(([, results]) => results.length > 0)
        .map(([name, results]) => {
          const rows = results.map(({ target, fault }) => [
            target,
            fault === undefined ? "CTL_SUCCESS" : fault.message,
          ]);
          return formatTable({ columns: [name, "Format Result"], rows }, width);
        });
      return [line, label, line, shown.join("\n\n")].join("\n");
    })
    .join("\n\n");
}
