import { readFileSync } from "node:fs";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { faultUsage } from "@daos/cli";

/** A plugin of the user: a linked directory, or a package that npm installed. */
export interface UserPlugin {
  readonly type: "link" | "user";
  readonly name: string;
  /** The directory of a linked plugin. */
  readonly root?: string;
  readonly tag?: string;
}

interface StoreFile {
  readonly private: true;
  readonly oclif: { readonly schema: 1; readonly plugins: readonly UserPlugin[] };
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** Where oclif finds the user's plugins: `$DMG_DATA_DIR`, else below the user's data directory. */
export function pluginDirectory(env: NodeJS.ProcessEnv = process.env): string {
  if (env.DMG_DATA_DIR !== undefined && env.DMG_DATA_DIR !== "") return env.DMG_DATA_DIR;
  const data = env.XDG_DATA_HOME;
  return join(data === undefined || data === "" ? join(homedir(), ".local", "share") : data, "dmg");
}

/** The user's plugins; none when there is no file. */
export async function readPlugins(directory: string): Promise<readonly UserPlugin[]> {
  return (await readStore(directory)).oclif.plugins;
}

/** The packages that npm installed for the user: names and sources. */
export async function readDependencies(directory: string): Promise<Readonly<Record<string, string>>> {
  return (await readStore(directory)).dependencies ?? {};
}

/** Replaces the list of plugins. Other entries in the file, which npm writes, are kept. */
export async function writePlugins(directory: string, plugins: readonly UserPlugin[]): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const store: StoreFile = { ...(await readStore(directory)), private: true, oclif: { schema: 1, plugins } };
  const path = join(directory, "package.json");
  // Flushed: after a crash of the host the file must not be there and empty.
  await writeFile(`${path}.tmp`, `${JSON.stringify(store, undefined, 2)}\n`, { mode: 0o600, flush: true });
  await rename(`${path}.tmp`, path);
}

/** Adds a plugin, or replaces the plugin with the same name. */
export async function addPlugin(plugin: UserPlugin): Promise<void> {
  const directory = pluginDirectory();
  const others = (await readPlugins(directory)).filter(({ name }) => name !== plugin.name);
  await writePlugins(directory, [...others, plugin]);
}

/** The name of the plugin in a directory. @throws Fault usage when there is no plugin */
export async function pluginName(root: string): Promise<string> {
  try {
    const { name, oclif } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as {
      name?: unknown;
      oclif?: unknown;
    };
    if (typeof name === "string" && typeof oclif === "object") return name;
  } catch (error) {
    throw faultUsage(`there is no plugin in ${root}`, "name a directory with a package.json", error);
  }
  throw faultUsage(`${root} is not an oclif plugin`, 'its package.json needs "name" and "oclif"');
}

async function readStore(directory: string): Promise<StoreFile> {
  const empty: StoreFile = { private: true, oclif: { schema: 1, plugins: [] } };
  const path = join(directory, "package.json");
  try {
    // The help reads it, and the modules and threads of a promise would take 2 ms.
    const text = readFileSync(path, "utf8");
    if (text.trim() === "") return empty;
    const read = JSON.parse(text) as Partial<StoreFile> | null;
    const plugins: unknown = read?.oclif?.plugins ?? [];
    if (!Array.isArray(plugins) || !plugins.every(isPlugin))
      throw new SyntaxError('"oclif.plugins" is no list of plugins');
    return { ...empty, ...read, oclif: { schema: 1, plugins } };
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return empty;
    if (!(error instanceof SyntaxError)) throw error;
    throw faultUsage(
      `the list of plugins ${path} is damaged: ${error.message}`,
      "move it away, and install or link the plugins again",
      error,
    );
  }
}

function isPlugin(entry: unknown): entry is UserPlugin {
  return typeof entry === "object" && entry !== null && "name" in entry && typeof entry.name === "string";
}
