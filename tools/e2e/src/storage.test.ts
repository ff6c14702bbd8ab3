import { appendFile, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { FakeSpdkTarget } from "@daos/bdev/testing";
import { FaultCode } from "@daos/fault";
import { describe, expect, it } from "vitest";
import { run } from "./program.ts";
import { DAOS_SERVER, EVENTUAL_TIMEOUT_MS, isRoot, TestSystem } from "./test-system.ts";

interface Scan {
  readonly hosts: readonly {
    readonly nvme: {
      readonly controllers: readonly { pciAddress: string; serial: string; source: string }[];
    };
  }[];
}
interface Failed {
  readonly status: number;
  readonly errors: readonly { readonly code: number; readonly description: string }[];
}

describe("storage, with real processes", () => {
  it("shows the controllers of an SPDK target, and records their health", async () => {
    await using system = await TestSystem.create();
    const socket = join(system.directory, "spdk.sock");
    const target = new FakeSpdkTarget([
      { address: "0000:81:00.0", serial: "SPDK0", contents: Buffer.alloc(1024 * 1024) },
    ]);
    await target.listen(socket);
    await appendFile(system.configPath, `spdk_socket: ${socket}\n`);
    await system.start();
    const { hosts } = (await system.dmgJson("storage", "scan")) as unknown as Scan;
    expect(hosts[0]?.nvme.controllers).toContainEqual(
      expect.objectContaining({ pciAddress: "0000:81:00.0", serial: "SPDK0", source: "spdk" }),
    );
    const state = join(system.directory, ".daos_server.state");
    expect(await readFile(join(state, "controllers.json"), "utf8")).toContain('"SPDK0"');
    expect(await readdir(join(state, "health"))).toContain("SPDK0.jsonl");

    // The end of the target affects no other data.
    await target.close();
    const after = (await system.dmgJson("storage", "scan")) as unknown as Scan;
    expect(after.hosts[0]?.nvme.controllers.map(({ serial }) => serial)).not.toContain("SPDK0");
  });

  it.runIf(isRoot)(
    "is formatted where an engine waits for it, and refused where an engine runs, with the reason",
    async () => {
      await using system = await TestSystem.create();
      const server = system.launch();
      await expect.poll(() => server.output, { timeout: EVENTUAL_TIMEOUT_MS }).toContain("storage format");
      const formatted = await system.dmg("storage", "format", "--verbose");
      expect(formatted).toMatchObject({ exitCode: 0, stderr: "" });
      expect(formatted.stdout).toContain("CTL_SUCCESS");
      await system.serving();
      const { exitCode, stdout } = await system.dmg("--json", "storage", "format", "--reformat");
      const { errors } = JSON.parse(stdout) as Failed;
      expect(exitCode).not.toBe(0);
      expect(errors).toMatchObject([{ code: FaultCode.storageFormatOnRunningSystem }]);
      expect(errors[0]?.description).toContain("whose engine runs");
    },
  );

  it.runIf(isRoot)(
    "on a controller of an SPDK target is formatted, and the controller is detached from the target",
    async () => {
      await using system = await TestSystem.create({ more: "allow_insecure_devices: true" });
      const socket = join(system.directory, "spdk.sock");
      const contents = Buffer.alloc(40 * 1024 * 1024, 0xa5);
      const target = new FakeSpdkTarget([{ address: "0000:81:00.0", serial: "SPDK0", contents, mdts: 5 }]);
      await target.listen(socket);
      const config = (await readFile(system.configPath, "utf8"))
        .replace(/bdev_class: file\n.*\n.*/, 'bdev_class: nvme\n    bdev_list: ["0000:81:00.0"]')
        .concat(`spdk_socket: ${socket}\n`);
      await writeFile(system.configPath, config);

      // The command without a server uses the target in the same file.
      const scan = await run([DAOS_SERVER, "storage", "scan", "-o", system.configPath]);
      expect(scan.stdout).toContain("serial SPDK0");

      const server = system.launch();
      await expect.poll(() => server.output, { timeout: EVENTUAL_TIMEOUT_MS }).toContain("storage format");
      const formatted = await system.dmg("storage", "format", "--verbose");
      expect(formatted).toMatchObject({
        exitCode: 0,
        stdout: expect.stringContaining("CTL_SUCCESS") as string,
      });
      // This machine has no such PCI device, so no engine can start with it.
      expect(contents.subarray(0, 16 * 1024 * 1024).every((byte) => byte === 0)).toBe(true);
      expect(target.called).toContain("bdev_nvme_detach_controller");
      await target.close();
    },
  );

  it("fails a burn-in of a missing controller", async () => {
    await using system = await TestSystem.create({ more: "allow_insecure_devices: true" });
    await system.start();
    const args = ["--json", "storage", "burn-in", "--force", "--duration", "1s", "-d", "ff:1f.7"];
    const { exitCode, stdout } = await system.dmg(...args);
    expect(exitCode).toBe(8);
    expect((JSON.parse(stdout) as Failed).errors).toMatchObject([{ code: FaultCode.bdevMissingDevice }]);
  });
});
