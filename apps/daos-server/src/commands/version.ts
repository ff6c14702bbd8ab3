import packageJson from "../../package.json" with { type: "json" };
import { defineCommand } from "../define-command.ts";

/** `daos-server version`. */
export const versionCommand = defineCommand({
  name: "version",
  summary: "Print the version of daos-server",
  examples: [{ text: "The version", line: "version" }],
  flags: {},
  run: async () => {
    const { version } = packageJson;
    return {
      result: { name: "daos-server", version, daosRelease: "0.8.0" },
      lines: [`daos-server ${version} (control plane of DAOS 0.8.0)`],
    };
  },
});
