import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { EtcdCluster } from "@daos/etcd/testing";
import { expect, it } from "vitest";
import { run } from "./program.ts";
import { DAOS_SERVER, type DmgResult, EVENTUAL_TIMEOUT_MS, freePort, TestSystem } from "./test-system.ts";

const WAIT = { timeout: EVENTUAL_TIMEOUT_MS, interval: 500 };

it("members move lets a system with one access point continue with two, and loses nothing", {
  timeout: 400_000,
}, async () => {
  await using etcd = await EtcdCluster.start();
  const ports = [await freePort(), await freePort()] as const;
  const [first, second] = ports.map((port) => `localhost:${port}`);
  const accessPoints = [first ?? ""];
  await using one = await TestSystem.create({ port: ports[0], accessPoints });
  await using two = await TestSystem.create({ port: ports[1], accessPoints });
  const members = async (): Promise<DmgResult["members"]> => (await one.dmgJson("system", "query")).members;
  const states = async () => (await members()).map(({ rank, state, reason }) => `${rank} ${state} ${reason}`);

  await Promise.all([one.start(), two.start()]);
  const exclude = ["exclude", "--ranks", "1", "--force"];
  expect(await one.dmg("system", ...exclude)).toMatchObject({ exitCode: 0 });
  const before = await members();
  const reason = "by an administrator";
  expect(before).toMatchObject([{ state: "joined" }, { state: "excluded", reason }]);

  for (const { configPath } of [one, two]) {
    const plain = await readFile(configPath, "utf8");
    const several = plain
      .replace(/^access_points: .*/m, `access_points: ["${first}", "${second}"]`)
      .concat(`system_db: {backend: etcd, endpoints: ["${etcd.endpoints.join('", "')}"]}\n`);
    await writeFile(configPath, several);
  }
  await Promise.all([one.stop(), two.stop()]);
  one.launch();
  const refused = await one.server.end();
  expect(refused.exitCode).toBe(1);
  expect(refused.stderr).toContain(`daos-server members move -o ${one.configPath}`);
  const { exitCode, stdout } = await run([DAOS_SERVER, "members", "move", "-o", one.configPath]);
  expect(stdout).toContain(`rank 1  ${before[1]?.uuid}  127.0.0.1:${ports[1]}  excluded: ${reason}`);
  expect(stdout).toContain(join(one.scmMount(), "control_plane", "members.db.moved"));
  expect(exitCode).toBe(0);

  two.launch([]);
  await one.start([]);
  await expect.poll(states, WAIT).toEqual(["0 joined ", `1 excluded ${reason}`]);
  await expect.poll(() => two.server.output, WAIT).toContain("has excluded it");
  expect(await one.dmg("system", "clear-exclude", "--ranks", "1")).toMatchObject({ exitCode: 0 });
  expect(await one.dmg("system", "start", "--ranks", "1")).toMatchObject({ exitCode: 0 });
  expect(await states()).toEqual(["0 joined ", "1 joined "]);
  expect((await members()).map(({ uuid, rank, incarnation }) => [uuid, rank, incarnation])).toEqual(
    before.map(({ uuid, rank, incarnation }) => [uuid, rank, incarnation + 1]),
  );
});
