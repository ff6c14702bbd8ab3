import { confirmOnTerminal } from "@daos/cli";
import { defineCommand } from "../../define-command.ts";
import { act } from "../../system/act.ts";
import { parseSelection, SELECTION_FLAGS } from "../../system/selection.ts";

/** `dmg system stop`. @see DAOS 0.8.0 src/control/cmd/dmg/system.go systemStopCmd */
export const systemStopCommand = defineCommand({
  name: "system stop",
  alias: "s",
  summary: "Stop engines in order, all or some",
  description:
    "Each engine is prepared for shutdown, then stopped. --force omits the preparation. --fanout limits the hosts at a time, --timeout the wait for each host. On a terminal, a stop of all engines asks for consent unless --force is given. A server of release 0.8.0 can only stop all engines.",
  examples: [
    { text: "Stop the system", line: "system stop" },
    { text: "Stop the engines of two hosts", line: "system stop --rank-hosts node[1-2]" },
  ],
  flags: {
    ...SELECTION_FLAGS,
    force: {
      type: "boolean",
      summary: "do not prepare engines for shutdown, and kill those that have not ended after a second",
    },
  },
  run: async (context) => {
    const { flags, terminal } = context;
    parseSelection(flags);
    if (!flags.force && flags.ranks === undefined && flags["rank-hosts"] === undefined) {
      await confirmOnTerminal(terminal, "This stops all engines of the system: no client can use its pools.");
    }
    return act(context, "stop", { force: flags.force, nothing: "The system has no members to stop" });
  },
});
