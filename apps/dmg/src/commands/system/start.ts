import { defineCommand } from "../../define-command.ts";
import { act } from "../../system/act.ts";
import { SELECTION_FLAGS } from "../../system/selection.ts";

/** `dmg system start`, as in later releases of DAOS. */
export const systemStartCommand = defineCommand({
  name: "system start",
  summary: "Start engines that were stopped, all or some",
  examples: [
    { text: "Start the system after system stop", line: "system start" },
    { text: "Start some ranks", line: "system start --ranks 0-3,7" },
  ],
  flags: SELECTION_FLAGS,
  run: (context) => act(context, "start", { force: false, nothing: "The system has no members to start" }),
});
