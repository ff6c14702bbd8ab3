import { defineCommand } from "../../define-command.ts";
import { act } from "../../system/act.ts";
import { confirmLastReplica } from "../../system/confirm-last-replica.ts";
import { requireSelection, SELECTION_FLAGS } from "../../system/selection.ts";

/**
 * `dmg system exclude`, as in later releases of DAOS. It can be undone, so it asks for consent only when no rank with the
 * management service would be left.
 */
export const systemExcludeCommand = defineCommand({
  name: "system exclude",
  summary: "Stop ranks and keep them out of the system",
  description:
    "Excluded ranks do not join again until system clear-exclude, not even after a restart of their server. Their engines are stopped without preparation. If an engine cannot be stopped, the result shows it, and the engine is stopped when its host reports it. Ranks or hosts must be named. On a terminal, it asks for consent before it excludes the only rank that has the management service, unless --force is given.",
  examples: [
    { text: "Exclude one rank", line: "system exclude --ranks 3" },
    { text: "Exclude a host that hangs", line: "system exclude --rank-hosts node4 --force" },
  ],
  flags: {
    ...SELECTION_FLAGS,
    force: { type: "boolean", summary: "kill engines that refuse or that have not ended after a second" },
  },
  run: async (context) => {
    requireSelection(context.flags, "exclude");
    if (!context.flags.force) await confirmLastReplica(context);
    return act(context, "exclude", { force: context.flags.force, nothing: "No rank is excluded" });
  },
});
