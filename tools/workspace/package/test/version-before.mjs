import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";

/**
 * Creates packages of a previous version below `to`: the same files with a lower version number.
 *
 * @param {readonly string[]} debs
 * @param {string} packages
 * @param {string} to
 */
export function makeVersionBefore(debs, packages, to) {
  mkdirSync(to, { recursive: true });
  for (const name of debs) {
    const tree = join(to, "tree");
    execFileSync("dpkg-deb", ["-R", join(packages, name), tree]);
    execFileSync("sed", ["-i", "s/^Version: .*/&~before/", join(tree, "DEBIAN/control")]);
    execFileSync("dpkg-deb", ["-b", "-Zgzip", "-z1", tree, join(to, name)], { stdio: "ignore" });
    rmSync(tree, { recursive: true });
  }
}
