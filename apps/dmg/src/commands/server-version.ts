import { defineCommand } from "../define-command.ts";
import { dmgVersion } from "./version.ts";

/** `dmg server-version`, as in later releases of DAOS. */
export const serverVersionCommand = defineCommand({
  name: "server-version",
  summary: "Print the versions of the servers",
  description:
    "Every host of the system is asked, or the hosts in --host-list. A warning is shown when the versions differ.",
  examples: [
    { text: "The versions of all hosts", line: "server-version" },
    { text: "The versions of some", line: "-l node[1-8] server-version" },
  ],
  flags: {},
  run: async (context) => {
    const { askVersions } = await import("../system/ask-versions.ts");
    return askVersions(context, dmgVersion());
  },
});
