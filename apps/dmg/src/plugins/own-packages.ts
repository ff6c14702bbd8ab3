import { mkdir, readlink, realpath, rm, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";

/** What plugins may import of dmg, as peer dependencies, besides dmg itself. */
const PACKAGES = ["cli", "control-client", "fault", "hostlist", "rank"];

/** Names of dmg itself; plugins that were written for its former kit import the second. */
const OWN_NAMES = ["dmg", "dmg-kit"];

/**
 * Lets installed plugins import the packages that dmg itself runs with: links to them beside the plugins. npm removes
 * what it does not know, and dmg may have moved, so that is done each time before plugins are loaded.
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
    // Another dmg may have made the same link meanwhile.
    await symlink(target, link).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
    });
  }
}

/** Where Node.js would find a package of ours from `root`. */
async function findPackage(root: string, name: string): Promise<string | undefined> {
  for (let at = root; ; at = dirname(at)) {
    const found = await realpath(join(at, "node_modules", "@daos", name)).catch(() => undefined);
    if (found !== undefined || dirname(at) === at) return found;
  }
}
