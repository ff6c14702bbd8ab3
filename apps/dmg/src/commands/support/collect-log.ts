import { collectLogFlags } from "@daos/support/flags";
import { defineCommand } from "../../define-command.ts";

/** `dmg support collect-log`, as in later releases of DAOS. */
export const supportCollectLogCommand = defineCommand({
  name: "support collect-log",
  summary: "Collect what support needs of all hosts into one archive",
  description:
    "Every host of the system sends an archive, or the hosts in --host-list do: its configuration, the ends of its logs, versions, the state of its certificates, engines, metrics, scans of storage and network, and lines of the kernel about devices. Members, pools and events come from the leader. Keys are left out, and what looks like a secret is replaced. It works with hosts that are down and without a leader: what could not be had is in missing.txt, with the reason. The exit code is not 0 if a host is missing.",
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
