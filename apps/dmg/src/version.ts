import { readFile } from "node:fs/promises";
import { defineCommand, wellDone } from "@daos/dmg-kit";

/** `dmg version`. */
export const versionCommand = defineCommand({
  name: "version",
  summary: "Print dmg's version",
  examples: [{ text: "The version", line: "version" }],
  flags: {},
  run: async () => {
    const version = await dmgVersion();
    return wellDone({ name: "dmg", version }, () => `dmg version ${version}`);
  },
});

/** The version in dmg's package.json, which lies one directory above this file, bundled or not. */
export async function dmgVersion(): Promise<string> {
  const text = await readFile(new URL("../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}
