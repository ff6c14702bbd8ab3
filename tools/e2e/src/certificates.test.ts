import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { run, WORKSPACE } from "./program.ts";
import { TestSystem } from "./test-system.ts";

const DMG = join(WORKSPACE, "apps/dmg/bin/dmg");

it("daos-server with certificates accepts an administrator of its own authority only", async () => {
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

  // The engines are stopped by calls from server to server with the server's own certificate.
  expect(await dmg(admin, "system", "stop")).toMatchObject({ exitCode: 0 });
  const query = await dmg(admin, "system", "query");
  expect(query.stdout).toMatch(/0-1\s+2\s+Stopped/);
  expect(await dmg(admin, "system", "start")).toMatchObject({ exitCode: 0 });
  const audited = system.server.output.match(/(?<= audit: )\w+ role=admin .*?(?= ms=)/g);
  expect(audited).toEqual([
    "PoolCreate role=admin address=127.0.0.1 outcome=OK",
    "SystemStopMembers role=admin address=127.0.0.1 outcome=OK",
    "SystemStart role=admin address=127.0.0.1 outcome=OK",
  ]);
  expect(await system.stop()).toMatchObject({ exitCode: 0 });
});

it("daos-server with an expired certificate starts its engines, logs a warning, and serves clients after a renewal", async () => {
  await using system = await TestSystem.create({ secure: true });
  await system.replaceCertificate("server", { expired: true });
  await system.start();
  const { validTo } = new X509Certificate(await readFile(join(system.directory, "server/server.crt")));
  expect(system.server.output).toMatch(/ERROR.* the server starts nevertheless/);
  expect(system.server.output).toContain(`expired on ${new Date(validTo).toISOString()}`);
  const dmg = async () => run([DMG, "-o", await system.clientConfig("admin"), "system", "list-pools"]);
  const refused = await dmg();
  expect(refused.exitCode).not.toBe(0);
  expect(refused.stderr).toMatch(/expired/);

  await system.replaceCertificate("server", {});
  system.server.child.kill("SIGHUP");
  await system.server.printed(/certificates read again/);
  expect(await dmg()).toMatchObject({ exitCode: 0 });
  expect(await system.stop()).toMatchObject({ exitCode: 0 });
});
