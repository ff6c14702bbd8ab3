import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { Program } from "./program.ts";
import { TestSystem } from "./test-system.ts";

it("npm start starts the quickstart system as the current user, and Ctrl-C in a terminal stops it in order", async () => {
  await using system = await TestSystem.create();
  const directory = join(system.directory, "quickstart");
  await mkdir(directory);
  const environment = { DAOS_QUICKSTART_DIR: directory, DAOS_QUICKSTART_SCM: system.scmMount() };
  // The terminal sends Ctrl-C to all of its processes, and npm forwards it. A remaining shell would be killed by it.
  const start = new Program(
    ["script", "-qec", `exec npm start --silent -- --port ${system.port}`, "/dev/null"],
    {
      env: environment,
      input: true,
    },
  );
  try {
    await expect.poll(() => start.output, { timeout: 300_000 }).toContain("DAOS is ready.");
    expect(start.output).toContain(`./dmg -i -l localhost:${system.port} pool create -s 256M`);
    expect((await system.dmgJson("system", "member-query")).members).toHaveLength(1);
  } finally {
    start.child.stdin?.write("\x03");
  }
  const { exitCode, stdout } = await start.end();
  expect({ exitCode, last: stdout.trim().split("\n").at(-1) }).toMatchObject({
    exitCode: 0,
    last: expect.stringContaining("stopped") as string,
  });
}, 600_000);
