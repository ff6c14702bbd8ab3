import type { SupportEvent } from "@daos/support";
import { collectLogFlags } from "@daos/support/flags";
import { defineCommand } from "../../define-command.ts";

const MIB = 1024 * 1024;

/** `daos-server support collect-log`, as in later releases of DAOS. */
export const supportCollectLogCommand = defineCommand({
  name: "support collect-log",
  summary: "Collect the data of this host for support in one archive, also without a running server",
  description:
    "The archive (tar.gz) has the configuration, the ends of the logs, versions, the state of the certificates, stored members and events, scans of storage and network, and kernel messages about devices. A configuration with errors is used as far as it can be read. Keys are omitted, and text that looks like a secret is replaced. missing.txt lists missing items with the reason. dmg support collect-log collects the archives of all hosts.",
  examples: [
    { text: "In this directory", line: "support collect-log" },
    {
      text: "With more of each log",
      line: "support collect-log --log-size 64 --output /var/tmp/node1.tar.gz",
    },
  ],
  flags: collectLogFlags("daos-support-HOST-TIME.tar.gz"),
  run: async ({ flags }) => {
    const { checkArchiveName, packSupport, writeArchive } = await import("@daos/support");
    const { hostItems, supportDirectory } = await import("../../support/host-items.ts");
    const directory = supportDirectory();
    const time = new Date().toISOString().replaceAll(/[:.]/g, "");
    const output = flags.output ?? `${directory}-${time}.tar.gz`;
    await checkArchiveName(output);
    const { findConfig } = await import("../../support/find-config.ts");
    const { config, isValid, items: configItems, missing: left } = await findConfig(flags);
    const { hostTools } = await import("../../host-tools.ts");
    const { NetworkProvider } = await import("@daos/network");
    const { ProcessCommandRunner } = await import("@daos/sys");
    const { storedItems } = await import("../../support/stored-items.ts");
    const { scm, bdev, log, signal } = await hostTools(flags, config ?? {});
    const runner = new ProcessCommandRunner();
    const logBytes = flags["log-size"] * MIB;
    const network = new NetworkProvider({ runner, log });
    const items = [
      ...configItems,
      ...hostItems({
        config,
        scm,
        bdev,
        network,
        runner,
        logBytes,
        ...(isValid ? {} : { withJournal: true }),
      }),
      ...(config === undefined ? [] : storedItems(config, { log })),
    ];
    const events = packSupport(items, { directory, missing: left, maxItemBytes: logBytes, signal });
    const isShown = !flags.json && process.stderr.isTTY;
    const { bytes, missing } = await writeArchive(output, events, isShown ? showProgress : undefined);
    if (isShown) process.stderr.write("\r\u001b[K");
    return {
      result: { archive: output, bytes, missing },
      lines: [
        `${output}: ${bytes} bytes`,
        ...missing.map(({ item, reason }) => `missing: ${item}: ${reason}`),
      ],
    };
  },
});

function showProgress({ item, done, total }: Extract<SupportEvent, { readonly kind: "progress" }>): void {
  process.stderr.write(`\r\u001b[K[${done + 1}/${total}] ${item}`);
}
