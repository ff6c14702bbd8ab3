import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { NvmeController } from "@daos/bdev";
import { createLogger, silentLogger } from "@daos/log";
import { delay } from "@daos/sys";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sampleHealth } from "./sample-health.ts";
import { openDeviceState, stateDirectories } from "./state-directory.ts";

let directory = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "daos-state-"));
});
afterEach(() => rm(directory, { recursive: true }));

const seen: NvmeController = {
  pciAddress: "0000:81:00.0",
  pciId: "8086:2701",
  model: "M",
  serial: "S",
  firmware: "F",
  numaNode: 1,
  driver: "nvme",
  namespaces: [{ id: 1, size: 375_083_606_016n }],
  health: undefined,
  source: "kernel",
};
const bound: NvmeController = {
  ...seen,
  model: "PCI 8086:2701",
  serial: "",
  firmware: "",
  driver: "vfio-pci",
  namespaces: [],
  source: "pci",
};

describe("stateDirectories", () => {
  it("stateDirectories() returns systemd's directory, one beside the configuration and one beside the sockets", () => {
    expect(stateDirectories("/etc/daos/s.yml", "/run/daos", { STATE_DIRECTORY: "/var/lib/d:/x" })).toEqual([
      "/var/lib/d",
      "/etc/daos/.daos_server.state",
      "/run/daos/state",
    ]);
    expect(stateDirectories("/etc/daos/s.yml", undefined, {})).toEqual(["/etc/daos/.daos_server.state"]);
  });
});

describe("openDeviceState", () => {
  it("openDeviceState() uses the first writable directory, and also reads the others", async () => {
    const [first, second] = [join(directory, "missing", "state"), join(directory, "state")];
    await mkdir(join(directory, "roots"));
    const roots = await openDeviceState([join(directory, "roots")], silentLogger);
    await roots?.cache.complete([seen]);
    const state = await openDeviceState([first, second, join(directory, "roots")], silentLogger);
    expect(await state?.cache.complete([bound])).toEqual([
      { ...seen, driver: "vfio-pci", source: "last-known" },
    ]);
    expect(await readdir(directory)).toContain("state");
    await state?.cache.complete([{ ...seen, serial: "T" }]);
    expect(await readFile(join(second, "controllers.json"), "utf8")).toContain('"T"');
  });

  it("openDeviceState() logs a warning and returns undefined when no directory is writable", async () => {
    await writeFile(join(directory, "file"), "");
    const warned: string[] = [];
    const log = createLogger(({ message }) => warned.push(message), { level: "WARN", component: "test" });
    const nowhere = [join(directory, "file", "state")];
    expect(await openDeviceState(nowhere, log, { isCommand: true })).toBeUndefined();
    expect(warned).toEqual([]);
    expect(await openDeviceState(nowhere, log)).toBeUndefined();
    expect(warned).toEqual([
      "what is known of NVMe controllers and namespaces is forgotten when this process ends",
    ]);
  });
});

describe("sampleHealth", () => {
  it("sampleHealth() samples at once and repeatedly, also after a failed sample, until it is stopped", async () => {
    const stop = new AbortController();
    let looks = 0;
    await sampleHealth({
      scan: async () => {
        looks += 1;
        if (looks === 1) throw new Error("no nvme-cli");
        if (looks === 3) stop.abort();
        await delay(1);
      },
      log: silentLogger,
      signal: stop.signal,
      everyMs: 5,
    });
    expect(looks).toBe(3);
  });
});
