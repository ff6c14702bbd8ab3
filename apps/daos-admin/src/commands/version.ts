import { defineCommand } from "../define-command.ts";
import { HELPER_RELEASE } from "../release.ts";

/** `daos-admin version`. */
export const versionCommand = defineCommand({
  name: "version",
  summary: "Print the version of daos-admin",
  examples: [{ text: "The version", line: "version" }],
  flags: {},
  run: async (_flags, say) => {
    say(`daos-admin ${HELPER_RELEASE}`);
    return 0;
  },
});
