import type { EngineConfig } from "@daos/config";
import { describe, expect, it } from "vitest";
import { engineArguments, engineEnvironment, sharedMemoryId } from "./engine-arguments.ts";

const engine: EngineConfig = {
  index: 0,
  targets: 8,
  nrXsHelpers: 2,
  firstCore: 1,
  provider: "ofi+sockets",
  fabricIface: "eth0",
  fabricIfacePort: 31416,
  pinnedNumaNode: 0,
  logMask: "ERR",
  logFile: "/tmp/server.log",
  envVars: ["CRT_TIMEOUT=30", "OFI_PORT=1", "A=b=c"],
  scm: { class: "ram", mount: "/mnt/daos", sizeGiB: 6 },
  bdev: { class: "file", list: ["/tmp/bdev"], number: 0, sizeGB: 16 },
  systemName: "daos_server",
  socketDir: "/tmp/daos_sockets",
  modules: "vos,rdb",
};

describe("engineArguments", () => {
  it("has every option in the order of release 0.8.0", () => {
    const args = engineArguments(engine, { shmId: 77, nvmeConf: "/mnt/daos/daos_nvme.conf" });
    expect(args.join(" ")).toBe(
      "-m vos,rdb -t 8 -x 2 -f 1 -g daos_server -d /tmp/daos_sockets -s /mnt/daos -n /mnt/daos/daos_nvme.conf -i 77 -p 0 -I 0",
    );
  });

  it("leaves out values that are 0 or unset, except helpers and index", () => {
    const bare: EngineConfig = {
      ...engine,
      targets: 0,
      nrXsHelpers: 0,
      firstCore: 0,
      modules: undefined,
      pinnedNumaNode: undefined,
    };
    expect(engineArguments(bare, { shmId: 0 }).join(" ")).toBe(
      "-x 0 -g daos_server -d /tmp/daos_sockets -s /mnt/daos -I 0",
    );
  });
});

describe("engineEnvironment", () => {
  it("lets env_vars win over the server's environment, and the configuration over both", () => {
    expect(engineEnvironment(engine, { PATH: "/bin", CRT_TIMEOUT: "1", D_LOG_MASK: "DEBUG" })).toEqual({
      PATH: "/bin",
      CRT_TIMEOUT: "30",
      A: "b=c",
      CRT_PHY_ADDR_STR: "ofi+sockets",
      OFI_INTERFACE: "eth0",
      OFI_PORT: "31416",
      D_LOG_MASK: "ERR",
      D_LOG_FILE: "/tmp/server.log",
      VOS_BDEV_CLASS: "AIO",
    });
  });

  it.each([
    ["nvme", undefined],
    ["malloc", "MALLOC"],
    ["kdev", "AIO"],
    ["file", "AIO"],
  ] as const)("names the bdev class %s %s", (bdevClass, expected) => {
    const config = { ...engine, bdev: { ...engine.bdev, class: bdevClass } };
    expect(engineEnvironment(config, {}).VOS_BDEV_CLASS).toBe(expected);
  });

  it("leaves out a port of 0 and unset logging, and gives verbs its domain", () => {
    const config = {
      ...engine,
      provider: "ofi+verbs;ofi_rxm",
      fabricIfacePort: 0,
      envVars: [],
      logFile: undefined,
    };
    const environment = engineEnvironment(config, {}, "mlx5_0");
    expect(environment).toMatchObject({ OFI_DOMAIN: "mlx5_0" });
    expect(environment).not.toHaveProperty("OFI_PORT");
    expect(environment).not.toHaveProperty("D_LOG_FILE");
  });
});

describe("sharedMemoryId", () => {
  // FNV-1a 32 of "" is 0x811c9dc5, of "a" 0xe40c292c, of "foobar" 0xbf9cf968 (the authors' test vectors).
  it.each([
    ["fooba", 0, "fooba0"],
    ["wolf-72", 135939, "wolf-72135939"],
  ])("hashes %s and %i as %s, top bit cleared", (host, pid, text) => {
    let expected = 0x811c9dc5n;
    for (const char of text) expected = ((expected ^ BigInt(char.charCodeAt(0))) * 0x01000193n) & 0xffffffffn;
    expect(sharedMemoryId(host, pid)).toBe(Number(expected & 0x7fffffffn));
  });
});
