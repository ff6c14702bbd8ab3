import packageJson from "../../package.json" with { type: "json" };
import { success } from "../answer.ts";
import { defineCommand } from "../define-command.ts";

/** `dmg version`. */
export const versionCommand = defineCommand({
  name: "version",
  summary: "Print dmg's version",
  examples: [{ text: "The version", line: "version" }],
  flags: {},
  run: async () => {
    const version = dmgVersion();
    return success({ name: "dmg", version }, () => `dmg version ${version}`);
  },
});

/** The version in dmg's package.json. The bundler inserts it. */
export function dmgVersion(): string {
  return packageJson.version;
}
