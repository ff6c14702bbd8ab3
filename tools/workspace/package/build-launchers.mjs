import { mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/**
 * Builds the two static programs that start the helper, for the prefix /usr, below `to`. They do not contain the group that may
 * call. It is the group of their files, which the package's postinst sets.
 *
 * @param {string} to the root of the package's files
 * @param {string} cc the C compiler
 * @returns the helper's units, and the record of the installation with `@GID@` for the group's number
 */
export async function buildLaunchers(to, cc) {
  // Set only after they are built.
  const [{ ProcessCommandRunner }, { buildNative }, { layoutOf }, { renderUnits }, { HELPER_RELEASE }] =
    await Promise.all([
      import("../../../libs/sys/dist/index.js"),
      import("../../../apps/daos-admin/dist/installation/build-native.js"),
      import("../../../apps/daos-admin/dist/installation/layout.js"),
      import("../../../apps/daos-admin/dist/installation/systemd-units.js"),
      import("../../../apps/daos-admin/dist/release.js"),
    ]);
  const layout = layoutOf("/usr");
  const { node, helper: script, policy, logFile } = layout;
  const directory = mkdtempSync(join(tmpdir(), "daos-launchers-"));
  const sources = new URL("../../../apps/daos-admin/native", import.meta.url).pathname;
  const runner = new ProcessCommandRunner();
  try {
    for (const program of /** @type {const} */ (["launcher", "listener"])) {
      const target = join(to, layout[program]);
      const config = { node, script, policy, logFile, callers: [node] };
      const built = await buildNative(program, config, { sources, directory, runner, cc });
      mkdirSync(dirname(target), { recursive: true });
      renameSync(built, target);
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
  const record = {
    release: HELPER_RELEASE,
    shapes: ["setuid", "socket"],
    group: "daos_admins",
    gid: "@GID@",
    callers: [node],
    files: [],
  };
  return {
    units: renderUnits(layout, record.group),
    record: `${JSON.stringify(record, undefined, 2)}\n`.replace('"@GID@"', "@GID@"),
  };
}
