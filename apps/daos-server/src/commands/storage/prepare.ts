import { createInterface } from "node:readline/promises";
import type { BdevPrepareResult } from "@daos/bdev";
import { Fault, FaultCode } from "@daos/fault";
import type { ScmPrepareResult } from "@daos/scm";
import { defineCommand } from "../../define-command.ts";
import { findUser } from "../../find-owner.ts";

/** `daos-server storage prepare`. @see DAOS 0.8.0 src/control/cmd/daos_server/storage.go */
export const storagePrepareCommand = defineCommand({
  name: "storage prepare",
  summary: "Prepare NVMe and persistent memory of this host for DAOS, or reset them",
  description:
    "NVMe controllers without mounted file systems are bound to a user-space driver, and hugepages are reserved. Persistent memory gets regions and namespaces, which may need a reboot and a second run. --reset undoes both: the namespaces are destroyed with all their data.",
  examples: [
    {
      text: "One controller, as root, for a server that runs as bob",
      line: 'storage prepare --nvme-only -w "0000:81:00.0" -p 4096 -u bob',
    },
    { text: "Destroy the namespaces, as root", line: "storage prepare --scm-only --reset" },
  ],
  flags: {
    "pci-whitelist": {
      type: "string",
      char: "w",
      value: "ADDRESSES",
      summary: "only these controllers: PCI addresses separated by blanks",
    },
    hugepages: {
      type: "integer",
      char: "p",
      value: "N",
      min: 0,
      max: Number.MAX_SAFE_INTEGER,
      summary: "number of hugepages of 2 MiB",
    },
    "target-user": {
      type: "string",
      char: "u",
      value: "NAME",
      summary: "user that will run the server (default the caller of sudo)",
    },
    "nvme-only": {
      type: "boolean",
      char: "n",
      summary: "do not change persistent memory",
      excludes: "scm-only",
    },
    "scm-only": { type: "boolean", char: "s", summary: "do not change NVMe" },
    reset: { type: "boolean", summary: "give the devices back to the kernel" },
    force: { type: "boolean", char: "f", summary: "do not ask before data is lost" },
  },
  run: async ({ flags }) => {
    const { reset } = flags;
    const nvme = !flags["scm-only"];
    const memory = !flags["nvme-only"];
    if (memory && !flags.force) await askForConsent(reset);
    const { hostTools } = await import("../../host-tools.ts");
    const { scm, bdev, signal, config } = await hostTools(flags);
    const user = flags["target-user"] ?? process.env.SUDO_USER;
    const owner = user === undefined || user === "" ? undefined : await findUser(user);
    const { configuredControllers, configuredHugepages } = await import("../../configured-devices.ts");
    const selection = { ...configuredControllers(config), whitelist: flags["pci-whitelist"] };
    const hugepages = flags.hugepages ?? configuredHugepages(config);
    const controllers = nvme
      ? await (reset
          ? bdev.reset({ ...selection, signal })
          : bdev.prepare({ ...selection, hugepages, owner, signal }))
      : undefined;
    const namespaces = memory ? await (reset ? scm.reset({ signal }) : scm.prepare({ signal })) : undefined;
    const failed = controllers?.controllers.find((outcome) => outcome.kind === "failed");
    return {
      result: { nvme: controllers, scm: namespaces },
      lines: [...nvmeLines(controllers), ...scmLines(namespaces)],
      fault: failed?.fault,
    };
  },
});

/** @throws Fault usage without a terminal, and for any answer but yes */
async function askForConsent(reset: boolean): Promise<void> {
  const question = reset
    ? "All namespaces will be destroyed, with all data in them."
    : "The memory allocation goals of the modules will be changed; their data may be lost.";
  if (process.stdin.isTTY !== true) throw faultNoConsent(question);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question(`${question} Are you sure? (yes/no) `);
  terminal.close();
  if (!/^y(es)?$/i.test(answer.trim())) throw faultNoConsent(question);
}

function faultNoConsent(question: string): Fault {
  return new Fault({
    domain: "general",
    code: FaultCode.usage,
    description: "cannot prepare persistent memory without consent",
    reason: question.replace(/\.$/, ""),
    resolution: "answer yes, or give --force; --nvme-only leaves persistent memory alone",
  });
}

function nvmeLines(result: BdevPrepareResult | undefined): readonly string[] {
  if (result === undefined) return [];
  const pages = result.hugepages.map(({ node, pages: count }) => `hugepages of node ${node}: ${count}`);
  return [
    ...result.controllers.map((outcome) => {
      switch (outcome.kind) {
        case "bound":
          return `${outcome.pciAddress}: bound to ${outcome.driver}${outcome.contents === undefined ? "" : ` (${outcome.contents})`}`;
        case "skipped":
          return `${outcome.pciAddress}: left as it is, ${outcome.reason}`;
        case "failed":
          return `${outcome.pciAddress}: ${outcome.fault.message}`;
        default:
          return outcome satisfies never;
      }
    }),
    ...(result.controllers.length === 0 ? ["no NVMe controllers"] : []),
    ...pages,
  ];
}

function scmLines(result: ScmPrepareResult | undefined): readonly string[] {
  switch (result?.kind) {
    case undefined:
      return [];
    case "no-scm":
      return ["no persistent memory", ...(result.notes ?? [])];
    case "reboot-needed":
      return [...(result.notes ?? []), "reboot this host now, then run the same command again"];
    case "done":
      return [
        ...(result.namespaces.length === 0
          ? ["no namespaces"]
          : result.namespaces.map(({ blockdev, dev }) => `/dev/${blockdev} (${dev})`)),
        ...(result.notes ?? []),
      ];
    default:
      return result satisfies never;
  }
}
