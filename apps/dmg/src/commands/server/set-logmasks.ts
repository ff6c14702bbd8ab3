import { faultUsage, formatTable } from "@daos/cli";
import { formatHostAddress } from "@daos/hostlist";
import { parseLogLevel } from "@daos/log";
import { defineCommand } from "../../define-command.ts";
import { groupHosts } from "../../output/group-hosts.ts";

/**
 * `dmg server set-logmasks`, as in later releases of DAOS. It changes the control plane only: engines of release 0.8.0
 * have no call for it.
 */
export const setLogMasksCommand = defineCommand({
  name: "server set-logmasks",
  summary: "Change the log level of the running control plane",
  description:
    "The change lasts until the server restarts. The engines' log masks do not change: they are set from log_mask in the configuration when an engine starts.",
  examples: [
    { text: "Debug messages of two hosts", line: "-l node[1-2] server set-logmasks --masks DEBUG" },
    { text: "Back to the configuration", line: "-l node[1-2] server set-logmasks --reset" },
  ],
  flags: {
    masks: {
      type: "string",
      char: "m",
      value: "LEVEL",
      summary: "DEBUG, INFO, WARN or ERROR",
      excludes: "reset",
    },
    reset: { type: "boolean", summary: "restore the configured level" },
  },
  run: async ({ flags, connect, collect }) => {
    if (flags.masks === undefined && !flags.reset) {
      throw faultUsage("--masks is missing", "give DEBUG, INFO, WARN or ERROR, or --reset");
    }
    const level = flags.masks === undefined ? undefined : parseLogLevel(flags.masks);
    if (level === undefined && flags.masks !== undefined) {
      throw faultUsage(
        `--masks "${flags.masks}" is not a level of the control plane's log`,
        "give DEBUG, INFO, WARN or ERROR; the engines' masks are set in the configuration (log_mask)",
      );
    }
    const { client } = await connect();
    const { setLogMasks } = await import("@daos/control-client");
    const { answers, failures } = await collect(client, setLogMasks(client, level));
    return {
      result: { hosts: answers.map(({ host, value }) => ({ host: formatHostAddress(host), ...value })) },
      text: (width) => {
        const rows = groupHosts(answers).map(({ label, value }) => [label, value.level, value.configured]);
        return rows.length === 0
          ? ""
          : formatTable({ columns: ["Hosts", "Level", "Configured"], rows }, width);
      },
      anySucceeded: answers.length > 0,
      failures,
    };
  },
});
