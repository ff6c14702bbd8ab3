import { faultUsage } from "@daos/cli";
import { ExitCode } from "../exit-codes.ts";
import { loadOclif } from "./load-oclif.ts";
import { pluginDirectory, readPlugins } from "./plugin-store.ts";

/**
 * Runs a command line whose first word is the topic of a user's plugin.
 *
 * @param argv the words first
 * @returns the exit code; undefined when no plugin has that topic
 */
export async function runPlugin(argv: readonly string[], root: string): Promise<number | undefined> {
  if ((await readPlugins(pluginDirectory())).length === 0) return undefined;
  const { oclif, config } = await loadOclif(root);
  const firstFlag = argv.findIndex((word) => word.startsWith("-"));
  const words = firstFlag === -1 ? argv : argv.slice(0, firstFlag);
  for (let count = words.length; count > 0; count--) {
    const id = words.slice(0, count).join(":");
    const command = config.findCommand(id);
    if (command !== undefined) {
      if (argv.includes("--help") || argv.includes("-h")) {
        await new oclif.Help(config).showCommandHelp(command);
        return ExitCode.ok;
      }
      const rest = argv.slice(count);
      try {
        await config.runCommand(id, rest);
      } catch (error) {
        return pluginFailure(error);
      }
      return typeof process.exitCode === "number" ? process.exitCode : ExitCode.ok;
    }
    if (config.findTopic(id) !== undefined) {
      if (count < words.length) {
        throw faultUsage(
          `there is no command "dmg ${words.join(" ")}"`,
          `see dmg ${words.slice(0, count).join(" ")} --help`,
        );
      }
      await new oclif.Help(config).showHelp([id]);
      return ExitCode.ok;
    }
  }
  return undefined;
}

/** The topics of the user's plugins, for the help. */
export async function pluginTopics(
  root: string,
): Promise<readonly (readonly [name: string, text: string])[]> {
  if ((await readPlugins(pluginDirectory())).length === 0) return [];
  const { config } = await loadOclif(root);
  return [...config.plugins.values()]
    .filter(({ type }) => type === "link" || type === "user")
    .flatMap(({ topics }) => topics)
    .map(({ name, description = "" }) => [name, description] as const);
}

/** Maps oclif's exit errors to an exit code. @throws all other errors of the plugin */
function pluginFailure(error: unknown): number {
  const exit = (error as { oclif?: { exit?: unknown } }).oclif?.exit;
  const { message = "" } = error as Partial<Error>;
  if (typeof exit !== "number") throw error;
  if (message.startsWith("EEXIT")) return exit;
  throw faultUsage(message, "see the command's --help", error);
}
