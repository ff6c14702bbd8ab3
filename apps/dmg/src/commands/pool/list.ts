import { defineCommand } from "../../define-command.ts";
import { POOLS_FLAGS, poolsAnswer } from "../../pool/pools-answer.ts";

/** `dmg pool list`, as later releases of DAOS call `system list-pools`. */
export const poolListCommand = defineCommand({
  name: "pool list",
  alias: "ls",
  summary: "List the pools of the system",
  description:
    "Labels and sizes are those that were recorded when the pools were created. The list is compared with that of the data plane; a note shows a difference. While the data plane cannot be asked, the recorded pools are shown, and a warning says so.",
  examples: [
    { text: "All pools", line: "pool list" },
    { text: "As in DAOS 2.x", line: "pool ls" },
    {
      text: "Their uuids, for a script",
      line: "pool list --json | jq -r .result.pools[].uuid",
    },
  ],
  flags: POOLS_FLAGS,
  run: poolsAnswer,
});
