import { defineCommand } from "../../define-command.ts";
import { POOLS_FLAGS, poolsAnswer } from "../../pool/pools-answer.ts";

/** `dmg pool list`, as later releases of DAOS call `system list-pools`. */
export const poolListCommand = defineCommand({
  name: "pool list",
  summary: "List the pools of the system",
  examples: [
    { text: "All pools", line: "pool list" },
    {
      text: "Their uuids, for a script",
      line: "pool list --json | jq -r .result.pools[].uuid",
    },
  ],
  flags: POOLS_FLAGS,
  run: poolsAnswer,
});
