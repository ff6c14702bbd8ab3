import packageJson from "../../package.json" with { type: "json" };
import { type Answer, success } from "../answer.ts";
import { defineCommand } from "../define-command.ts";

/** `dmg version`. */
export const versionCommand = defineCommand({
  name: "version",
  summary: "Print dmg's version, and that of the servers",
  description:
    "With --servers every host of the system is asked, or the hosts in --host-list. A warning is shown when the versions differ.",
  examples: [
    { text: "The version", line: "version" },
    { text: "The versions of all hosts", line: "version --servers" },
  ],
  flags: { servers: { type: "boolean", summary: "the versions of the servers too" } },
  run: async ({ flags: { servers }, ...context }): Promise<Answer> => {
    const version = dmgVersion();
    const own = `dmg version ${version}`;
    if (!servers) return success({ name: "dmg", version }, () => own);
    const { askVersions } = await import("../system/ask-versions.ts");
    const { text, result, ...answer } = await askVersions(context, version);
    return {
      ...answer,
      result: { name: "dmg", version, ...result },
      text: (width) => `${own}\n\n${text(width)}`.trimEnd(),
    };
  },
});

/** The version in dmg's package.json. The bundler inserts it. */
export function dmgVersion(): string {
  return packageJson.version;
}
