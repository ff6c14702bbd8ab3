import { mkdir, readlink, realpath, rm, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";

/** The packages that plugins may import from dmg as peer dependencies, besides dmg itself. */
const PACKAGES = ["cli", "control-client", "fault", "hostlist", "rank"];

/** The names of dmg itself. Plugins written for the former kit import the second. */
const OWN_NAMES = ["dmg", "dmg-kit"];

/**
 * Lets installed plugins import dmg's own packages, through links beside the plugins. npm removes unknown links, and
 * dmg may have moved. The links are therefore made each time before plugins are loaded.
 *
 * @param directory where npm installs plugins
 * @param root the directory of dmg's package.json
 */
export async function linkOwnPackages(directory: string, root: string): Promise<void> {
  const scope = join(directory, "node_modules", "@daos");
  for (const name of [...OWN_NAMES, ...PACKAGES]) {
    const target = OWN_NAMES.includes(name) ? root : await findPackage(root, name);
    if (target === undefined) continue;
    const link = join(scope, name);
    const present = await readlink(link).catch(() => undefined);
    if (present === target) continue;
    await mkdir(scope, { recursive: true, mode: 0o700 });
    await rm(link, { recursive: true, force: true });
    // Another dmg may have made the same link.
    await symlink(target, link).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
    });
  }
}

/** Resolves one of our packages from `root`, as Node.js does. */
async function findPackage(root: string, name: string): Promise<string | undefined> {
  for (let at = root; ; at = dirname(at)) {
    const found = await realpath(join(at, "node_modules", "@daos", name)).catch(() => undefined);
    if (found !== undefined || dirname(at) === at) return found;
  }
}
