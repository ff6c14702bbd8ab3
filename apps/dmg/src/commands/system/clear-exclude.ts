import { defineCommand } from "../../define-command.ts";
import { act } from "../../system/act.ts";
import { requireSelection, SELECTION_FLAGS } from "../../system/selection.ts";

/** `dmg system clear-exclude`, as in later releases of DAOS. */
export const systemClearExcludeCommand = defineCommand({
  name: "system clear-exclude",
  summary: "Let excluded ranks join the system again",
  description:
    "The ranks join when their engines start: see system start. --ranks or --rank-hosts is required.",
  examples: [{ text: "Let one rank join again", line: "system clear-exclude --ranks 3" }],
  flags: SELECTION_FLAGS,
  run: async (context) => {
    requireSelection(context.flags, "let back in");
    return act(context, "clear-exclude", { force: false, nothing: "No rank was excluded" });
  },
});
