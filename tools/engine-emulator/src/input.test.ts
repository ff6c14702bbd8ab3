import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import type { NetworkInterfaceInfo } from "node:os";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseArguments } from "./arguments.ts";
import { deviceCapacity, scmCapacity } from "./capacity.ts";
import { EMPTY_STATE, formatState, parseState } from "./engine-state.ts";
import { parseEnvironment } from "./environment.ts";
import { parseInjectedFaults } from "./injected-faults.ts";
import { parseNvmeConf } from "./nvme-conf.ts";
import { STATE_FILE, StateStore } from "./state-store.ts";

let directory = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "emulator-"));
});
afterEach(() => rm(directory, { recursive: true }));

describe("parseArguments", () => {
  it("parseArguments() reads the arguments of the control plane, and adds defaults", () => {
    const line =
      "-m vos,rdb -t 4 -x 0 -f 2 -g sys -d /run/daos -s /mnt/daos -n /mnt/daos/n.conf -i 77 -p 1 -I 3";
    expect(parseArguments(line.split(" "))).toEqual({
      modules: "vos,rdb",
      targets: 4,
      helpers: 0,
      firstCore: 2,
      group: "sys",
      socketDir: "/run/daos",
      scmMount: "/mnt/daos",
      nvmeConf: "/mnt/daos/n.conf",
      shmId: 77,
      numaNode: 1,
      index: 3,
    });
    expect(parseArguments(["-d/run/daos", "-s/mnt/daos", "-t0"])).toMatchObject({
      targets: undefined,
      helpers: 2,
      group: "daos_server",
      nvmeConf: undefined,
      index: 0,
    });
  });

  it.each([
    [["-d", "/run"], "option -s (SCM mount point) is missing"],
    [["-s", "/mnt"], "option -d (socket directory) is missing"],
    [["-s", "", "-d", "/run"], "option -s"],
    [["-d", "/run", "-s", "/mnt", "-Z"], "Unknown option '-Z'"],
    [["-d", "/run", "-s", "/mnt", "more"], "more"],
    [["-d", "/run", "-s", "/mnt", "-t", "four"], 'option -t wants a number, not "four"'],
    [["-d", "/run", "-s"], "-s"],
  ])("parseArguments() refuses %j", (argv, message) => {
    expect(() => parseArguments(argv)).toThrow(message);
  });
});

describe("parseEnvironment", () => {
  const address = (family: "IPv4" | "IPv6", ip: string) => ({ family, address: ip }) as NetworkInterfaceInfo;
  const interfaces = {
    lo: [address("IPv4", "127.0.0.1")],
    eth0: [address("IPv6", "fe80::1"), address("IPv4", "10.0.0.5")],
    ib0: [address("IPv6", "fe80::2")],
  };

  it.each([
    [{}, "ofi+sockets://127.0.0.1:31416"],
    [
      { CRT_PHY_ADDR_STR: "ofi+verbs;ofi_rxm", OFI_INTERFACE: "eth0", OFI_PORT: "5" },
      "ofi+verbs://10.0.0.5:5",
    ],
    [{ OFI_INTERFACE: "ib0" }, "ofi+sockets://[fe80::2]:31416"],
  ])("parseEnvironment() reads %j as the address %s", (env, uri) => {
    expect(parseEnvironment(env, interfaces).uri).toBe(uri);
  });

  it.each([
    ["", "INFO"],
    ["ERR", "ERROR"],
    ["WARN", "WARN"],
    ["ERR,mgmt=DEBUG", "DEBUG"],
    ["INFO", "INFO"],
  ])("parseEnvironment() reads D_LOG_MASK=%s as level %s", (mask, level) => {
    expect(parseEnvironment({ D_LOG_MASK: mask }, interfaces).logLevel).toBe(level);
  });

  it.each([
    [{ OFI_INTERFACE: "eth9" }, "there is no interface eth9 (lo, eth0, ib0)"],
    [{ OFI_PORT: "70000" }, 'OFI_PORT is not a port: "70000"'],
    [{ DAOS_EMULATOR_SCM_BYTES: "4G" }, 'not a number of bytes: "4G"'],
    [{ DAOS_EMULATOR_FAULTS: "x" }, '"x" is no fault'],
  ])("parseEnvironment() refuses %j", (env, message) => {
    expect(() => parseEnvironment(env, interfaces)).toThrow(message);
  });
});

describe("parseInjectedFaults", () => {
  it("parseInjectedFaults() reads a list", () => {
    const faults = parseInjectedFaults(
      "pool-create:slow=500, pool-create:status=-1007,set-rank:hang,pool-get-acl:crash-after,join:crash,start-ms:failure,start:exit=3,notify-ready:slow=5,notify-ready:never",
    );
    expect(faults).toEqual({
      methods: new Map([
        ["poolCreate", { slow: 500, status: -1007 }],
        ["setRank", { hang: true }],
        ["poolGetAcl", { crashAfter: true }],
        ["join", { crash: true }],
        ["startMs", { failure: true }],
      ]),
      exitAtStart: 3,
      notifyReady: { never: true, slow: 5 },
    });
  });

  it.each([
    "pool-creat:hang",
    "pool-create",
    "pool-create:hangs",
    "pool-create:slow=",
    "start:hang",
    "start:exit=x",
    "notify-ready:crash",
    "validate-credentials:hang",
  ])("parseInjectedFaults() refuses %s", (text) => {
    expect(() => parseInjectedFaults(text)).toThrow(`"${text}" is no fault; there are start:exit=N`);
  });
});

describe("parseNvmeConf", () => {
  it("parseNvmeConf() reads each class of devices", () => {
    expect(parseNvmeConf("[AIO]\n    AIO /tmp/a AIO_host_0 4096\n    AIO /dev/sdb AIO_host_1\n")).toEqual([
      { kind: "aio", name: "AIO_host_0", path: "/tmp/a" },
      { kind: "aio", name: "AIO_host_1", path: "/dev/sdb" },
    ]);
    expect(parseNvmeConf("[Malloc]\n    NumberOfLuns 2\n    LunSizeInMB 4000\n")).toEqual([
      { kind: "malloc", name: "Malloc0", bytes: 4_194_304_000 },
      { kind: "malloc", name: "Malloc1", bytes: 4_194_304_000 },
    ]);
    expect(
      parseNvmeConf(
        '[Nvme]\n    TransportID "trtype:PCIe traddr:0000:81:00.0" Nvme_host_0\n    RetryCount 4\n',
      ),
    ).toEqual([{ kind: "nvme", name: "Nvme_host_0", address: "0000:81:00.0" }]);
    expect(parseNvmeConf("")).toEqual([]);
  });

  it.each(["[AIO]\nAIO /tmp/a", "[Malloc]\nNumberOfLuns two", "[Nvme]\nTransportID traddr:1"])(
    "parseNvmeConf() refuses %j",
    (text) => {
      expect(() => parseNvmeConf(text)).toThrow("a line that cannot be read");
    },
  );
});

describe("capacity", () => {
  it("deviceCapacity() returns the size of files, and the size in sysfs of controllers", async () => {
    const path = join(directory, "bdev");
    await writeFile(path, "x".repeat(8192));
    expect(await deviceCapacity({ kind: "aio", name: "a", path })).toBe(8192);
    expect(await deviceCapacity({ kind: "malloc", name: "m", bytes: 5 })).toBe(5);
    await expect(deviceCapacity({ kind: "aio", name: "a", path: `${path}x` })).rejects.toThrow("ENOENT");
    const nvme = { kind: "nvme", name: "n", address: "0000:81:00.0" } as const;
    expect(await deviceCapacity(nvme, directory)).toBe(0);
    await mkdir(join(directory, "bus/pci/devices/0000:81:00.0/nvme/nvme0"), { recursive: true });
    for (const namespace of ["nvme0n1", "nvme0n2"]) {
      await mkdir(join(directory, "class/nvme/nvme0", namespace), { recursive: true });
      await writeFile(join(directory, "class/nvme/nvme0", namespace, "size"), "2048\n");
    }
    expect(await deviceCapacity(nvme, directory)).toBe(2 * 2048 * 512);
  });

  it("scmCapacity() returns the size of the file system", async () => {
    expect(await scmCapacity(directory)).toBeGreaterThan(0);
    await expect(scmCapacity(join(directory, "missing"))).rejects.toThrow("ENOENT");
  });
});

describe("StateStore", () => {
  it("StateStore.open() restores the state, and StateStore.change() runs changes one at a time", async () => {
    const store = await StateStore.open(directory);
    expect(store.state).toBe(EMPTY_STATE);
    await Promise.all(
      ["a", "b", "c"].map((name) =>
        store.update((state) => ({
          state: { ...state, devices: [...state.devices, { name, uuid: name }] },
          answer: name,
        })),
      ),
    );
    const again = await StateStore.open(directory);
    expect(again.state).toEqual(store.state);
    expect(again.state.devices.map(({ name }) => name)).toEqual(["a", "b", "c"]);
  });

  it("StateStore.change() keeps the former state when a write fails, and later changes work", async () => {
    const store = await StateStore.open(directory);
    const change = (state: typeof EMPTY_STATE) => ({
      state: { ...state, devices: [{ name: "d", uuid: "d" }] },
      answer: 1,
    });
    await mkdir(join(directory, STATE_FILE));
    await expect(store.update(change)).rejects.toThrow();
    expect(store.state).toBe(EMPTY_STATE);
    await rm(join(directory, STATE_FILE), { recursive: true });
    expect(await store.update(change)).toBe(1);
  });

  const good = formatState({
    version: 1,
    ms: {
      leads: true,
      servers: [{ rank: 0, uuid: "u", uri: "x", nctxs: 1, addr: "a" }],
      pools: [
        {
          uuid: "u",
          scmBytes: 1,
          nvmeBytes: 0,
          ranks: [0],
          svcReps: [0],
          owner: "",
          ownerGroup: "",
          acl: ["A::OWNER@:rw"],
        },
      ],
    },
    devices: [],
  });

  it.each([
    ["torn", good.slice(0, good.length / 2)],
    ["empty", ""],
    ["zeros", "\0".repeat(64)],
    ["of a later version", good.replace('"version": 1', '"version": 2')],
    ["not an object", "[]"],
    ["without devices", '{"version":1}'],
    ["with a wrong type", good.replace('"rank": 0', '"rank": "0"')],
    ["with a wrong list", good.replace('"A::OWNER@:rw"', "1")],
  ])("StateStore.open() names the file when the state is %s", async (_, text) => {
    expect(() => parseState(text)).toThrow();
    await writeFile(join(directory, STATE_FILE), text);
    await expect(StateStore.open(directory)).rejects.toThrow(
      `${STATE_FILE} is damaged or not the emulator's`,
    );
  });

  it("parseState() reads the output of formatState()", () => {
    expect(formatState(parseState(good))).toBe(good);
  });
});
