import { formatTable } from "@daos/cli";
import type { FormatResult, StorageFormat } from "@daos/control-client";
import { Fault, FaultCode } from "@daos/fault";
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
    // A flag of DAOS 2.x.
    replace: {
      type: "boolean",
      summary: "give an engine the rank that its storage had before",
      hidden: true,
    },
  },
  run: async ({ flags, connect, collect }) => {
    if (flags.replace) throw faultNoReplace();
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
      anySucceeded: answers.some(({ value }) => done(value).length > 0),
      failures,
    };
  },
});

function faultNoReplace(): Fault {
  return new Fault({
    domain: "client",
    code: FaultCode.commandUnsupported,
    description: '"dmg storage format --replace" cannot be done',
    reason:
      "an engine of release 0.8.0 that asks for the rank of another one is refused by the data plane with DER_EXIST",
    resolution:
      "format without --replace: the engine joins with a new rank; then forget the old one with dmg system erase",
  });
}

function isOk(value: StorageFormat): boolean {
  return notDone(value).length === 0;
}

/** The mount points and devices that were formatted. */
function done({ scm, nvme }: StorageFormat): readonly string[] {
  return [...scm, ...nvme].filter(({ fault }) => fault === undefined).map(({ target }) => target);
}

function notDone({ scm, nvme }: StorageFormat): readonly string[] {
  return [...scm, ...nvme].filter(({ fault }) => fault !== undefined).map(({ target }) => target);
}

/** The result of a host: `storage format ok`, or the formatted and the failed mount points and devices. */
function outcomeOf(value: StorageFormat): string {
  if (isOk(value)) return "storage format ok";
  const formatted = done(value);
  if (formatted.length === 0) return "storage format failed";
  return `storage format ok for ${formatted.join(", ")}; failed for ${notDone(value).join(", ")}`;
}

function resultJson({ target, fault }: FormatResult) {
  return { target, ok: fault === undefined, code: fault?.code ?? 0, message: fault?.message ?? "" };
}

type Answers = Parameters<typeof groupHosts<StorageFormat>>[0];

function showFormat(answers: Answers, verbose: boolean, width: number): string {
  if (!verbose) {
    return groupHosts(answers, outcomeOf)
      .map(({ label, value }) => `${label}: ${outcomeOf(value)}`)
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
