import { createRequire } from "node:module";
import { join } from "node:path";
import type * as Oclif from "@oclif/core";
import { linkOwnPackages } from "./own-packages.ts";
import { pluginDirectory, readPlugins } from "./plugin-store.ts";

/**
 * oclif with dmg's topics and the user's plugins. Loading it takes a tenth of a second, so only plugin code does.
 *
 * @param root the directory of dmg's package.json
 */
export async function loadOclif(
  root: string,
): Promise<{ readonly oclif: typeof Oclif; readonly config: Oclif.Config }> {
  // `require`, because a start-up snapshot cannot import.
  const oclif = createRequire(join(root, "package.json"))("@oclif/core") as typeof Oclif;
  const directory = pluginDirectory();
  if ((await readPlugins(directory)).some(({ type }) => type === "user")) {
    await linkOwnPackages(directory, root);
  }
  process.env.DMG_DATA_DIR = directory;
  const config = await oclif.Config.load({ root });
  return { oclif, config };
}
