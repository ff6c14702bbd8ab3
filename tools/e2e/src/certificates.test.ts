import { join } from "node:path";
import { expect, it } from "vitest";
import { run, WORKSPACE } from "./program.ts";
import { TestSystem } from "./test-system.ts";

const DMG = join(WORKSPACE, "apps/dmg/bin/dmg");

it("with certificates, only an administrator of the same authority gets through", async () => {
  await using system = await TestSystem.create({ secure: true, engines: 2 });
  await system.start();
  const dmg = (config: string, ...args: readonly string[]) => run([DMG, "-o", config, ...args]);

  const admin = await system.clientConfig("admin");
  const created = await dmg(admin, "pool", "create", "-s", "64M");
  expect(created).toMatchObject({ exitCode: 0 });
  const members = await dmg(admin, "system", "member-query");
  expect(members.stdout.match(/localhost|127\.0\.0\.1/g)).toHaveLength(2);

  const agent = await dmg(await system.clientConfig("agent"), "system", "list-pools");
  expect(agent.exitCode).not.toBe(0);
  expect(agent.stdout).toBe("");
  expect(agent.stderr).toMatch(/agent/);

  const plain = await system.dmg("system", "list-pools");
  expect(plain.exitCode).not.toBe(0);
  expect(plain.stderr).toContain("this server wants TLS");

  await using other = await TestSystem.create({ secure: true });
  const stranger = await run([
    DMG,
    "-o",
    await other.clientConfig("admin"),
    "-l",
    `localhost:${system.port}`,
    "system",
    "list-pools",
  ]);
  expect(stranger.exitCode).not.toBe(0);
  expect(stranger.stderr).toMatch(/certificate/);

  // The engines stop through calls from server to server, with the server's own certificate.
  expect(await dmg(admin, "system", "stop")).toMatchObject({ exitCode: 0 });
  const query = await dmg(admin, "system", "query");
  expect(query.stdout).toMatch(/0-1\s+2\s+Stopped/);
  expect(await dmg(admin, "system", "start")).toMatchObject({ exitCode: 0 });
  expect(await system.stop()).toMatchObject({ exitCode: 0 });
});
