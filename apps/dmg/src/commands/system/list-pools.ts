import { defineCommand } from "../../define-command.ts";
import { POOLS_FLAGS, poolsAnswer } from "../../pool/pools-answer.ts";

/** `dmg system list-pools`. @see DAOS 0.8.0 src/control/cmd/dmg/system.go systemListPoolsCmd */
export const listPoolsCommand = defineCommand({
  name: "system list-pools",
  alias: "p",
  summary: "List the pools of the system",
  examples: [
    { text: "All pools", line: "system list-pools" },
    {
      text: "Their uuids, for a script",
      line: "system list-pools --json | jq -r .result.pools[].uuid",
    },
  ],
  flags: POOLS_FLAGS,
  run: poolsAnswer,
});
