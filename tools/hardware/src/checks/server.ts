import { strict as assert } from "node:assert";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { BdevProvider, fileCache } from "@daos/bdev";
import { checkServerConfig, generateConfig } from "@daos/config";
import { FaultCode } from "@daos/fault";
import { collectMachineFacts } from "@daos/machine";
import { ScmProvider } from "@daos/scm";
import { listMounts, mountAt } from "@daos/sys";
import {
  configure,
  dmg,
  dmgFault,
  engineSection,
  PORT,
  Server,
  SOCKETS,
  WAIT_TIMEOUT_MS,
} from "./server-under-test.ts";
import { addressOf, check, log, runner, sh, until } from "./tools.ts";

const CONFIG = "/run/root/daos_server.yml";
const scm = new ScmProvider({ runner, log });
const bdev = new BdevProvider({ runner, log, cache: fileCache("/run/daos/controllers.json") });

/** As `daos-server config generate` writes it for this machine. */
async function generate(): Promise<string> {
  const { facts } = await collectMachineFacts({ log });
  return generateConfig(facts, {
    accessPoints: [`localhost:${PORT}`],
    port: PORT,
    provider: "ofi+sockets",
    mountRoot: "/mnt/root",
    socketDir: SOCKETS,
    allowInsecure: true,
  }).text;
}

check("two engines, by root: prepare, config generate, scan, format, start, reset", async (context) => {
  const begin = performance.now();
  const step = (name: string) =>
    context.diagnostic(`${name} ${((performance.now() - begin) / 1000).toFixed(0)} s`);
  const controllers = [await addressOf("FAST0"), await addressOf("FAST1")];
  const prepared = await scm.prepare();
  assert.ok(prepared.kind === "done");
  const text = await generate();
  for (const directory of [dirname(CONFIG), SOCKETS]) await mkdir(directory, { recursive: true });
  await writeFile(CONFIG, `allow_insecure_devices: true\n${text}`);
  const { config } = checkServerConfig(text, { path: CONFIG, cwd: "/" });
  assert.deepEqual(
    config?.engines.map((engine) => [engine.scm.class === "dcpm" && engine.scm.device, ...engine.bdev.list]),
    [0, 1].map((node) => {
      const namespace = prepared.namespaces.find(({ numaNode }) => numaNode === node);
      return [`uuid:${namespace?.uuid}`, controllers[node]];
    }),
  );
  step("configured after");
  await bdev.prepare({ hugepages: 64, whitelist: controllers.join(" ") });
  step("prepared after");
  const server = new Server(CONFIG);
  try {
    await server.awaitingFormat();
    step("waiting for storage after");
    const { hosts } = await dmg<{ hosts: readonly unknown[] }>("storage", "scan");
    assert.equal(hosts.length, 1);
    await dmg("storage", "format");
    step("formatted after");
    await until("engines that serve", async () => server.serving, WAIT_TIMEOUT_MS);
    step("serving after");
    for (const index of [0, 1]) {
      const entry = mountAt(await listMounts(), `/mnt/root/${index}`);
      assert.ok(entry?.options.includes("dax"), JSON.stringify(entry));
      assert.match(await readFile(`/mnt/root/${index}/superblock`, "utf8"), /^version: 0$/m);
      assert.match(
        await readFile(`/mnt/root/${index}/daos_nvme.conf`, "utf8"),
        new RegExp(`traddr:${controllers[index]}`),
      );
    }
    const { members } = await dmg<{ members: readonly unknown[] }>("system", "member-query");
    assert.equal(members.length, 2);
    const refused = await dmgFault(FaultCode.storageFormatOnRunningSystem, "storage", "format", "--reformat");
    assert.match(refused, /whose engine runs/);
    assert.equal(await server.stop(), 0, server.output);
    step("stopped after");
  } catch (error) {
    server.child.kill("SIGKILL");
    throw new Error(`the server printed:\n${server.output}`, { cause: error });
  }
  assert.equal((await scm.reset()).kind, "done");
  const reset = await bdev.reset();
  assert.deepEqual(
    reset.controllers.filter(({ kind }) => kind === "bound").map(({ pciAddress }) => pciAddress),
    controllers.toSorted(),
  );
});

check("a configured controller that is missing stops the start-up with its address", async () => {
  await sh("mkdir", "-p", "/mnt/missing");
  await sh("mount", "-t", "tmpfs", "tmpfs", "/mnt/missing");
  const ram = "scm_mount: /mnt/missing\n  scm_class: ram\n  scm_size: 1";
  await configure(CONFIG, [engineSection(0, 0, "0000:ff:00.0", ram)], "recreate_superblocks: true\n");
  const server = new Server(CONFIG);
  assert.equal(await server.ended(), 1, server.output);
  assert.match(server.output, /there is none at 0000:ff:00\.0 \(found: 0000:/);
  assert.match(server.output, /storage prepare/);
  assert.equal(server.serving, false);
  await sh("umount", "/mnt/missing");
});
