import { strict as assert } from "node:assert";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { BdevProvider, fileMemory } from "@daos/bdev";
import { ScmProvider } from "@daos/scm";
import { listMounts, mountAt } from "@daos/sys";
import { addressOf, check, log, runner, until } from "./tools.ts";

const app = (name: string) => fileURLToPath(new URL(`../../../../apps/${name}/bin/${name}`, import.meta.url));
const PORT = 20001;
const CONFIG = "/run/daos_server.yml";
const SOCKETS = "/run/daos_sockets";
/** Under emulation a start of Node takes seconds, and an engine starts several. */
const PATIENCE_MS = 120_000;

/** Runs dmg against the server in this machine, and answers with its result. */
async function dmg<T>(...args: readonly string[]): Promise<T> {
  const { exitCode, stdout, stderr } = await runner.run(
    [app("dmg"), "--json", "-i", "-l", `localhost:${PORT}`, ...args],
    { timeoutMs: PATIENCE_MS },
  );
  assert.equal(exitCode, 0, `dmg ${args.join(" ")}: ${stderr}${stdout}`);
  return (JSON.parse(stdout) as { readonly result: T }).result;
}

async function configure(
  engines: readonly { device: string; address: string; node: number }[],
): Promise<void> {
  const sections = engines.map(
    ({ device, address, node }, index) => `- targets: 1
  nr_xs_helpers: 0
  first_core: 0
  pinned_numa_node: ${node}
  fabric_iface: eth${node}
  fabric_iface_port: ${31_416 + 1000 * index}
  log_mask: ERR
  scm_mount: /mnt/engine${index}
  scm_class: dcpm
  scm_list: [${device}]
  bdev_class: nvme
  bdev_list: ["${address}"]
`,
  );
  const head = `name: daos_server
access_points: ["localhost:${PORT}"]
port: ${PORT}
provider: ofi+sockets
socket_dir: ${SOCKETS}
transport_config:
  allow_insecure: true
servers:
`;
  await mkdir(SOCKETS, { recursive: true });
  await writeFile(CONFIG, head + sections.join(""));
}

/** A daos-server with emulated engines; `serving` is set once every engine serves. */
class Server {
  serving = false;
  output = "";
  readonly child: ChildProcess;

  constructor() {
    this.child = spawn(
      app("daos-server"),
      ["start", "-o", CONFIG, "--engine", "emulated", "--engine-ready-timeout", "120"],
      { stdio: ["ignore", "pipe", "pipe", "ipc"], env: { ...process.env, NO_COLOR: "1" } },
    );
    this.child.on("message", () => {
      this.serving = true;
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.output += text;
      });
    }
  }

  async stop(): Promise<number | null> {
    this.child.kill("SIGTERM");
    await until("the end of the server", async () => this.child.exitCode !== null, PATIENCE_MS);
    return this.child.exitCode;
  }
}

const scm = new ScmProvider({ runner, log });
const bdev = new BdevProvider({ runner, log, memory: fileMemory("/run/daos/controllers.json") });

for (const round of ["first", "second"]) {
  check(`two engines, ${round} time: prepare, scan, format, start, reset`, async (context) => {
    const begin = performance.now();
    const step = (name: string) =>
      context.diagnostic(`${name} ${((performance.now() - begin) / 1000).toFixed(0)} s`);
    const controllers = [await addressOf("FAST0"), await addressOf("FAST1")];
    const prepared = await scm.prepare();
    assert.ok(prepared.kind === "done");
    const engines = prepared.namespaces.map(({ blockdev, numaNode }) => ({
      device: `/dev/${blockdev}`,
      address: controllers[numaNode] ?? "",
      node: numaNode,
    }));
    await bdev.prepare({ hugepages: 64, whitelist: controllers.join(" ") });
    step("prepared after");
    await configure(engines);
    const server = new Server();
    try {
      await until(
        "a server that waits for its storage",
        async () => {
          assert.equal(server.child.exitCode, null, server.output);
          return server.output.includes("storage format");
        },
        PATIENCE_MS,
      );
      step("waiting for storage after");
      const { hosts } = await dmg<{ hosts: readonly unknown[] }>("storage", "scan");
      assert.equal(hosts.length, 1);
      await dmg("storage", "format");
      step("formatted after");
      await until("engines that serve", async () => server.serving, PATIENCE_MS);
      step("serving after");
      for (const index of [0, 1]) {
        const entry = mountAt(await listMounts(), `/mnt/engine${index}`);
        assert.ok(entry?.options.includes("dax"), JSON.stringify(entry));
        assert.match(await readFile(`/mnt/engine${index}/superblock`, "utf8"), /^version: 0$/m);
        assert.match(
          await readFile(`/mnt/engine${index}/daos_nvme.conf`, "utf8"),
          new RegExp(`traddr:${engines[index]?.address}`),
        );
      }
      const { members } = await dmg<{ members: readonly unknown[] }>("system", "member-query");
      assert.equal(members.length, 2);
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
}
