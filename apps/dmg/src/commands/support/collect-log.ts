import { collectLogFlags } from "@daos/support/flags";
import { defineCommand } from "../../define-command.ts";

/** `dmg support collect-log`, as in later releases of DAOS. */
export const supportCollectLogCommand = defineCommand({
  name: "support collect-log",
  summary: "Collect the data of all hosts for support in one archive",
  description:
    "Every host of the system, or every host in --host-list, sends an archive with its configuration, the ends of its logs, versions, the state of its certificates, engines, metrics, scans of storage and network, and kernel messages about devices. Members, pools and events come from the leader. Keys are omitted, and text that looks like a secret is replaced. It works without a leader and while hosts are down: missing.txt lists missing items with the reason. The exit code is not 0 if a host is missing.",
  examples: [
    { text: "All hosts", line: "support collect-log" },
    { text: "One host, with more of each log", line: "-l node7 support collect-log --log-size 64" },
  ],
  flags: collectLogFlags("daos-support-TIME.tar.gz"),
  run: async ({ flags, connect, collect }) => {
    const { collectLogs } = await import("../../support/collect-logs.ts");
    const time = new Date().toISOString().replaceAll(/[:.]/g, "");
    const output = flags.output ?? `daos-support-${time}.tar.gz`;
    return collectLogs({ connect, collect }, { output, logMib: flags["log-size"] });
  },
});
