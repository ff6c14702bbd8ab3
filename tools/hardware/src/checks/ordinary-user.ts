import { strict as assert } from "node:assert";
import { appendFile, chmod, chown, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { before } from "node:test";
import { fileURLToPath } from "node:url";
import { FaultCode } from "@daos/fault";
import { listMounts, mountAt } from "@daos/sys";
import {
  app,
  configure,
  dmg,
  dmgFault,
  onPmem,
  runDmg,
  Server,
  SOCKETS,
  WAIT_TIMEOUT_MS,
} from "./server-under-test.ts";
import { addressOf, check, runner, sh, until } from "./tools.ts";

const UID = 4711;
const HOME = "/run/ordinary";
const AS_USER = [
  ...["setpriv", "--reuid", `${UID}`, "--regid", `${UID}`, "--clear-groups", "--"],
  ...["env", `HOME=${HOME}`],
] as const;
const CONFIG = `${HOME}/daos_server.yml`;
const WORKSPACE = fileURLToPath(new URL("../../../..", import.meta.url));
const AUDIT = "/run/daos_admin.log";
const POLICY = "/etc/daos/daos_admin.yml";

interface Controller {
  readonly pciAddress: string;
  readonly serial: string;
  readonly source: string;
  readonly driver: string;
  readonly namespaces: readonly { readonly engine?: number }[];
}
interface Scan {
  readonly hosts: readonly {
    readonly scm: {
      readonly namespaces: readonly { blockDevice: string; numaNode: number; engine?: number }[];
    };
    readonly nvme: { readonly controllers: readonly Controller[] };
  }[];
}
interface BurnIn {
  readonly hosts: readonly {
    readonly controllers: readonly { pciAddress: string; verdict: string; bytesVerified: number }[];
  }[];
}

/**
 * Runs `daos-server storage` as the ordinary user. It must succeed. Operations that need root go through the helper.
 */
async function storage(...args: readonly string[]): Promise<string> {
  const [command = "", ...rest] = [...AS_USER, app("daos-server"), "storage", ...args, "-o", CONFIG];
  const { exitCode, stdout, stderr } = await runner.run([command, ...rest], { timeoutMs: WAIT_TIMEOUT_MS });
  assert.equal(exitCode, 0, `storage ${args.join(" ")}: ${stderr}${stdout}`);
  return stdout;
}

before(async () => {
  // The checkout may be in a directory that only root can enter. Changes in this machine are discarded.
  for (let path = WORKSPACE; path !== "/"; path = dirname(path)) {
    const { mode } = await stat(path);
    if ((mode & 0o5) !== 0o5) await chmod(path, mode | 0o5);
  }
  for (const path of [HOME, SOCKETS]) await mkdir(path, { recursive: true });
  await appendFile("/etc/passwd", `ordinary:x:${UID}:${UID}::${HOME}:/bin/sh\n`);
});

/** Burns in the controllers, and cuts a second burn-in short. */
async function burnIn(
  addresses: readonly string[],
  all: readonly Controller[],
  step: (name: string) => void,
): Promise<void> {
  // Unformatted controllers can be burnt in. They are borrowed from their user-space driver.
  const burnt = await dmg<BurnIn>("storage", "burn-in", "--force", "--duration", "2s");
  assert.deepEqual(
    burnt.hosts[0]?.controllers.map(({ pciAddress, verdict }) => [pciAddress, verdict]),
    all.map(({ pciAddress, serial }) => [pciAddress, serial.startsWith("FAST") ? "passed" : "skipped"]),
  );
  for (const { verdict, bytesVerified } of burnt.hosts[0]?.controllers ?? []) {
    if (verdict === "passed") assert.ok(bytesVerified >= 64 * 1024 * 1024, `${bytesVerified}`);
  }
  step("burnt in after");
  const args = ["--force", "--duration", "60m", "-d", addresses[0] ?? "", "--timeout", "10s"];
  const cut = await runDmg("storage", "burn-in", ...args);
  assert.equal(cut.exitCode, 9, cut.stdout + cut.stderr);
  step("cut short after");
}

for (const round of ["first", "second"]) {
  check(`an ordinary user's server and the setuid helper, ${round} time`, async (context) => {
    const begin = performance.now();
    const step = (name: string) =>
      context.diagnostic(`${name} ${((performance.now() - begin) / 1000).toFixed(0)} s`);
    const addresses = [await addressOf("FAST0"), await addressOf("FAST1")];
    const engines = [0, 1].map((index) => ({
      device: `/dev/pmem${index}`,
      address: addresses[index] ?? "",
      node: index,
    }));
    await configure(CONFIG, engines.map(onPmem));
    for (const path of [HOME, CONFIG, SOCKETS]) await chown(path, UID, UID);
    if (round === "first") {
      const prefix = ["--prefix", "/usr", "--group", `${UID}`, "--any-caller", "--server-config", CONFIG];
      const installed = await runner.run([app("daos-admin"), "install", ...prefix], {
        timeoutMs: WAIT_TIMEOUT_MS,
      });
      assert.equal(installed.exitCode, 0, installed.stderr);
      // Configurations never imply it: namespaces may be created and destroyed.
      const policy = await readFile(POLICY, "utf8");
      const allowed = policy
        .replace(/^scm_prepare:.*\n/m, "")
        .concat(`scm_prepare: true\nlog_file: ${AUDIT}\n`);
      await writeFile(POLICY, allowed);
      step("helper installed after");
    }

    const prepared = await storage("prepare", "--force", "--hugepages", "64");
    for (const address of addresses) assert.ok(prepared.includes(`${address}: bound to vfio-pci`), prepared);
    assert.match(prepared, /^\/dev\/pmem1 /m);
    step("prepared after");

    const server = new Server(CONFIG, AS_USER);
    try {
      await server.awaitingFormat();
      assert.equal((await stat(`/proc/${server.child.pid}`)).uid, UID);
      step("waiting for storage after");
      const { hosts } = await dmg<Scan>("storage", "scan", "--verbose");
      // No engine uses the slow controllers here.
      const all = hosts[0]?.nvme.controllers ?? [];
      const controllers = all.filter(({ serial }) => serial.startsWith("FAST"));
      assert.deepEqual(
        controllers.map(({ serial, source, driver, namespaces }) => ({
          serial,
          source,
          driver,
          engine: namespaces[0]?.engine,
        })),
        [0, 1].map((index) => ({
          serial: `FAST${index}`,
          source: "last-known",
          driver: "vfio-pci",
          engine: index,
        })),
      );
      const pmems = hosts[0]?.scm.namespaces ?? [];
      assert.deepEqual(pmems.map(({ blockDevice, engine }) => [blockDevice, engine]).sort(), [
        ["pmem0", 0],
        ["pmem1", 1],
      ]);
      assert.ok(addresses.includes(controllers[0]?.pciAddress ?? ""));
      const remembered = await readFile(join(HOME, ".daos_server.state/controllers.json"), "utf8");
      assert.match(remembered, /"FAST1"/);
      step("scanned after");

      if (round === "first") await burnIn(addresses, all, step);

      // The interrupted burn-in returns the controller, empty, before the format uses it.
      await dmg("storage", "format", "--verbose");
      step("formatted after");
      await until("engines that serve", async () => server.serving, WAIT_TIMEOUT_MS);
      step("serving after");
      for (const index of [0, 1]) {
        const mount = `/mnt/engine${index}`;
        const entry = mountAt(await listMounts(), mount);
        assert.ok(entry?.fsType === "ext4" && entry.options.includes("dax"), JSON.stringify(entry));
        assert.equal((await stat(mount)).uid, UID);
        assert.equal((await stat(`${mount}/superblock`)).uid, UID);
      }
      const { members } = await dmg<{ members: readonly unknown[] }>("system", "member-query");
      assert.equal(members.length, 2);
      const refused = await dmgFault(
        FaultCode.bdevInUse,
        ...["storage", "burn-in", "--force", "-d", addresses[1] ?? ""],
      );
      assert.match(refused, /it serves engine 1, which is serving/);
      assert.equal(await server.stop(), 0, server.output);
      step("stopped after");
    } catch (error) {
      server.child.kill("SIGKILL");
      throw new Error(`the server printed:\n${server.output}`, { cause: error });
    }
    const reset = await storage("prepare", "--reset", "--force");
    for (const address of addresses) assert.ok(reset.includes(`${address}: bound to nvme`), reset);
    assert.equal(mountAt(await listMounts(), "/mnt/engine0"), undefined);
    await sh("sh", "-c", "! [ -e /dev/pmem0 ]");
    const audit = await readFile(AUDIT, "utf8");
    for (const method of ["ScmPrepare", "BdevPrepare", "BdevBurnIn", "ScmFormat", "BdevFormat", "ScmReset"]) {
      assert.ok(audit.includes(`"method":"${method}"`), method);
    }
    step("reset after");
  });
}
