import { defineCommand } from "../../define-command.ts";
import { act } from "../../system/act.ts";
import { SELECTION_FLAGS } from "../../system/selection.ts";

/** `dmg system stop`. @see DAOS 0.8.0 src/control/cmd/dmg/system.go systemStopCmd */
export const systemStopCommand = defineCommand({
  name: "system stop",
  alias: "s",
  summary: "Stop engines in order, all or some",
  description:
    "Each engine is asked to get ready, then stopped; --force leaves the first step out. --fanout hosts at a time, and --timeout for each host. A server of release 0.8.0 can only stop all in order.",
  examples: [
    { text: "Stop the system", line: "system stop" },
    { text: "Stop the engines of two hosts", line: "system stop --rank-hosts node[1-2]" },
  ],
  flags: {
    ...SELECTION_FLAGS,
    force: {
      type: "boolean",
      summary: "do not ask engines to get ready, and kill those that refuse or have not ended after a second",
    },
  },
  run: (context) =>
    act(context, "stop", { force: context.flags.force, nothing: "The system has no members to stop" }),
});
