import { defineCommand } from "../define-command.ts";
import { DAOS_RELEASE, VERSION } from "../release.ts";

/** `daos-server version`. */
export const versionCommand = defineCommand({
  name: "version",
  summary: "Print the version of daos-server",
  examples: [{ text: "The version", line: "version" }],
  flags: {},
  run: async () => ({
    result: { name: "daos-server", version: VERSION, daosRelease: DAOS_RELEASE },
    lines: [`daos-server ${VERSION} (control plane of DAOS ${DAOS_RELEASE})`],
  }),
});
