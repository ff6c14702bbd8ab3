import { createInterface } from "node:readline/promises";
import type { BdevPrepareResult } from "@daos/bdev";
import { Fault, FaultCode } from "@daos/fault";
import type { ScmPrepareResult } from "@daos/scm";
import { Flags } from "@oclif/core";
import { findUser } from "../../find-owner.ts";
import { hostTools, toJson } from "../../host-tools.ts";
import { ServerCommand } from "../../server-command.ts";

/** `daos-server storage prepare`. @see DAOS 0.8.0 src/control/cmd/daos_server/storage.go */
export class StoragePrepare extends ServerCommand {
  static override readonly summary =
    "Prepare NVMe and persistent memory of this host for DAOS, or reset them";
  static override readonly description =
    "NVMe controllers without mounted file systems are bound to a user-space driver, and hugepages are reserved. Persistent memory gets regions and namespaces, which may need a reboot and a second run. --reset undoes both: the namespaces are destroyed with all their data.";

  static override readonly flags = {
    "pci-whitelist": Flags.string({
      char: "w",
      summary: "Only these controllers: PCI addresses separated by blanks",
      helpValue: "ADDRESSES",
    }),
    hugepages: Flags.integer({ char: "p", summary: "Number of hugepages of 2 MiB", min: 0 }),
    "target-user": Flags.string({
      char: "u",
      summary: "User that will run the server (default the caller of sudo)",
      helpValue: "NAME",
    }),
    "nvme-only": Flags.boolean({
      char: "n",
      summary: "Leave persistent memory alone",
      exclusive: ["scm-only"],
    }),
    "scm-only": Flags.boolean({ char: "s", summary: "Leave NVMe alone" }),
    reset: Flags.boolean({ summary: "Give the devices back to the kernel" }),
    force: Flags.boolean({ char: "f", summary: "Do not ask before data is lost" }),
  };

  static override readonly examples = [
    'sudo <%= config.bin %> storage prepare --nvme-only -w "0000:81:00.0" -p 4096 -u bob',
    "sudo <%= config.bin %> storage prepare --scm-only --reset",
  ];

  async run(): Promise<void> {
    const { flags } = await this.parse(StoragePrepare);
    const { reset } = flags;
    const nvme = !flags["scm-only"];
    const memory = !flags["nvme-only"];
    if (memory && !flags.force) await this.#askForConsent(reset);
    const { scm, bdev, signal } = await hostTools(flags);
    const user = flags["target-user"] ?? process.env.SUDO_USER;
    const owner = user === undefined || user === "" ? undefined : await findUser(user);
    const { "pci-whitelist": whitelist, hugepages } = flags;
    const controllers = nvme
      ? await (reset ? bdev.reset({ signal }) : bdev.prepare({ whitelist, hugepages, owner, signal }))
      : undefined;
    const namespaces = memory ? await (reset ? scm.reset({ signal }) : scm.prepare({ signal })) : undefined;
    if (flags.json) this.log(toJson({ nvme: controllers, scm: namespaces }));
    else for (const line of [...nvmeLines(controllers), ...scmLines(namespaces)]) this.log(line);
    const failed = controllers?.controllers.find((outcome) => outcome.kind === "failed");
    if (failed !== undefined) throw failed.fault;
  }

  async #askForConsent(reset: boolean): Promise<void> {
    const question = reset
      ? "All namespaces will be destroyed, with all data in them."
      : "The memory allocation goals of the modules will be changed; what they hold may be lost.";
    if (process.stdin.isTTY !== true) throw faultNoConsent(question);
    const terminal = createInterface({ input: process.stdin, output: process.stderr });
    const answer = await terminal.question(`${question} Are you sure? (yes/no) `);
    terminal.close();
    if (!/^y(es)?$/i.test(answer.trim())) throw faultNoConsent(question);
  }
}

function faultNoConsent(question: string): Fault {
  return new Fault({
    domain: "general",
    code: FaultCode.usage,
    description: "prepare persistent memory without consent",
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
          return `${outcome.pciAddress}: bound to ${outcome.driver}`;
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
      return ["no persistent memory"];
    case "reboot-needed":
      return ["reboot this host now, then run the same command again"];
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
