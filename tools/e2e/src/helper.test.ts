import { chmod, chown, stat } from "node:fs/promises";
import { join } from "node:path";
import { listMounts, mountAt } from "@daos/sys";
import { describe, expect, it } from "vitest";
import { run, WORKSPACE } from "./program.ts";
import { isRoot, TestSystem } from "./test-system.ts";

const DAOS_ADMIN = join(WORKSPACE, "apps/daos-admin/bin/daos-admin");
const NOBODY = 65534;
const AS_NOBODY = [
  "setpriv",
  "--reuid",
  `${NOBODY}`,
  "--regid",
  `${NOBODY}`,
  "--clear-groups",
  "--",
] as const;
/** The helper trusts only directories whose parents belong to root alone, so not the temporary directory. */
const PARENT = "/var/lib";

/** Root must install the helper, and the user of the server must be able to read the workspace. */
const possible = isRoot && (await run([...AS_NOBODY, "ls", WORKSPACE])).exitCode === 0;

describe("an ordinary user's server with the installed helper", () => {
  it.runIf(possible)("formats and mounts a real tmpfs, and serves", async () => {
    await using system = await TestSystem.create({ parent: PARENT });
    await chmod(system.directory, 0o755);
    for (const own of [system.socketDir, system.filesDir]) await chown(own, NOBODY, NOBODY);
    const prefix = join(system.directory, "prefix");
    const install = await run([
      DAOS_ADMIN,
      "install",
      ...["--prefix", prefix, "--group", `${NOBODY}`, "--any-caller", "--server-config", system.configPath],
    ]);
    expect(install).toMatchObject({ exitCode: 0 });

    const server = system.launch(["--helper", join(prefix, "bin", "daos_admin"), "--auto-format"], {
      through: AS_NOBODY,
      env: { HOME: system.filesDir },
    });
    await system.serving();

    const pid = server.child.pid ?? 0;
    expect((await stat(`/proc/${pid}`)).uid).toBe(NOBODY);
    expect(mountAt(await listMounts(), system.scmMount())).toMatchObject({ fsType: "tmpfs" });
    expect((await stat(system.scmMount())).uid).toBe(NOBODY);
    expect((await system.dmgJson("pool", "create", "-s", "64M")).uuid).toBeDefined();
    expect(await system.stop()).toMatchObject({ exitCode: 0 });
  });
});
