import { confirm, faultUsage, formatSize } from "@daos/cli";
import type { StoragePrepare } from "@daos/control-client";
import { countOf } from "@daos/fault";
import { formatHostAddress } from "@daos/hostlist";
import { defineCommand } from "../../define-command.ts";
import { groupHosts } from "../../output/group-hosts.ts";

const WARNING =
  "The memory allocation goals of SCM modules will change and their namespaces will be made or removed: data on them is lost. " +
  "First unmount the namespaces, and stop all use of the SCM and NVMe devices. It may take minutes, and a reboot may be needed afterwards.";

/** `dmg storage prepare`. @see DAOS 0.8.0 src/control/cmd/dmg/storage.go storagePrepareCmd */
export const storagePrepareCommand = defineCommand({
  name: "storage prepare",
  alias: "p",
  summary: "Prepare the SCM and NVMe devices of the hosts for engines",
  description: `${WARNING} Changes to SCM need your consent, or --force.`,
  examples: [
    { text: "SCM and NVMe of eight hosts", line: "-l node[1-8] storage prepare" },
    {
      text: "Two NVMe controllers only, for the user daos",
      line: 'storage prepare -n -w "0000:81:00.0 0000:da:00.0" -u daos',
    },
    { text: "Return all devices to the operating system", line: "storage prepare --reset --force" },
  ],
  flags: {
    "pci-whitelist": {
      type: "string",
      char: "w",
      value: "ADDRESSES",
      default: "",
      summary: "PCI addresses of the NVMe controllers to use, white-space separated (default all)",
    },
    hugepages: {
      type: "integer",
      char: "p",
      value: "N",
      min: 0,
      max: 2 ** 31 - 1,
      default: 0,
      summary: "hugepages for SPDK (default 1024)",
    },
    "target-user": {
      type: "string",
      char: "u",
      value: "NAME",
      default: "",
      summary: "user who will own the NVMe devices (default that of the server)",
    },
    "nvme-only": { type: "boolean", char: "n", summary: "do not change SCM", excludes: "scm-only" },
    "scm-only": { type: "boolean", char: "s", summary: "do not change NVMe" },
    reset: { type: "boolean", summary: "return the devices to the operating system" },
    force: { type: "boolean", char: "f", summary: "do not ask for consent" },
  },
  run: async ({ flags, terminal, connect, collect }) => {
    const nvme = !flags["scm-only"];
    const scm = !flags["nvme-only"];
    if (!nvme && (flags["pci-whitelist"] !== "" || flags.hugepages !== 0 || flags["target-user"] !== "")) {
      throw faultUsage(
        "-w, -p and -u concern NVMe, which --scm-only excludes",
        "omit --scm-only or the others",
      );
    }
    if (scm && !flags.force) await confirm(terminal, WARNING);
    const { client } = await connect();
    const { storagePrepare } = await import("@daos/control-client");
    const { answers, failures } = await collect(
      client,
      storagePrepare(client, {
        nvme: nvme
          ? {
              pciWhitelist: flags["pci-whitelist"],
              hugepages: flags.hugepages,
              targetUser: flags["target-user"],
              reset: flags.reset,
            }
          : undefined,
        scm: scm ? { reset: flags.reset } : undefined,
      }),
      (value) => [value.nvme?.fault, value.scm?.fault].filter((fault) => fault !== undefined),
    );
    return {
      result: {
        hosts: answers.map(({ host, value }) => ({
          host: formatHostAddress(host),
          nvme:
            value.nvme === undefined ? null : { ok: value.nvme.fault === undefined, info: value.nvme.info },
          scm:
            value.scm === undefined
              ? null
              : { ok: value.scm.fault === undefined, info: value.scm.info, namespaces: value.scm.namespaces },
        })),
      },
      text: () =>
        groupHosts(answers, (value) => lines(value).join("\n"))
          .flatMap(({ label, value }) => lines(value).map((line) => `${label}: ${line}`))
          .join("\n"),
      anySucceeded: answers.some(({ value }) => lines(value).length > 0),
      failures,
    };
  },
});

/** The parts that succeeded on a host, one per line. */
function lines({ nvme, scm }: StoragePrepare): string[] {
  const found: string[] = [];
  if (nvme !== undefined && nvme.fault === undefined) found.push(`NVMe prepare ok${more(nvme.info)}`);
  if (scm !== undefined && scm.fault === undefined) {
    const total = scm.namespaces.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    const what =
      scm.namespaces.length === 0
        ? ""
        : `: ${formatSize(total)} (${countOf(scm.namespaces.length, "namespace")})`;
    found.push(`SCM prepare ok${what}${more(scm.info)}`);
  }
  return found;
}

function more(info: string): string {
  return info === "" ? "" : `; ${info}`;
}
