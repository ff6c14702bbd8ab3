import { basename } from "node:path";
import type { Logger } from "@daos/log";
import { type Argv, type CommandRunner, hasErrorCode, type SysTree } from "@daos/sys";
import type { BdevBackend, BdevCallOptions } from "./bdev-backend.ts";
import type { NvmeController, NvmeHealth, NvmeNamespace } from "./bdev-types.ts";
import { parseSmartLog } from "./parse-nvme-cli.ts";
import { parsePciAddress } from "./pci-address.ts";

const PCI_DEVICES = "/sys/bus/pci/devices";
/** Mass storage, non-volatile memory; the third byte is the programming interface (02: NVM Express). */
const NVME_CLASS = /^0x0108/;
/** `nvme0n1`, and `nvme0c0n1` where multipath hides the paths. */
const NAMESPACE = /^nvme\d+(?:c\d+)?n(\d+)$/;
const SECTOR = 512n;

export interface KernelBackendOptions {
  readonly runner: CommandRunner;
  readonly sys: SysTree;
  readonly log: Logger;
}

/** Controllers as the kernel knows them: sysfs for identity and namespaces, nvme-cli for health. */
export class KernelBackend implements BdevBackend {
  readonly name = "kernel";
  readonly #runner: CommandRunner;
  readonly #sys: SysTree;
  readonly #log: Logger;

  constructor(options: KernelBackendOptions) {
    this.#runner = options.runner;
    this.#sys = options.sys;
    this.#log = options.log;
  }

  async scan(options: BdevCallOptions = {}): Promise<readonly NvmeController[]> {
    options.signal?.throwIfAborted();
    const addresses: string[] = [];
    for (const address of await this.#sys.list(PCI_DEVICES)) {
      const code = await this.#sys.read(`${PCI_DEVICES}/${address}/class`);
      if (code !== undefined && NVME_CLASS.test(code) && parsePciAddress(address) !== undefined) {
        addresses.push(address);
      }
    }
    return Promise.all(addresses.map((address) => this.#controller(address, options)));
  }

  async #controller(address: string, options: BdevCallOptions): Promise<NvmeController> {
    const device = `${PCI_DEVICES}/${address}`;
    const [driver, numaNode, names] = await Promise.all([
      this.#sys.resolve(`${device}/driver`),
      this.#sys.read(`${device}/numa_node`),
      this.#sys.list(`${device}/nvme`),
    ]);
    const common = {
      pciAddress: address,
      // -1 stands for "no node", as on a machine without NUMA.
      numaNode: Math.max(0, Number(numaNode ?? 0)),
      driver: driver === undefined ? undefined : basename(driver),
    };
    const [name] = names;
    if (name === undefined) {
      return {
        ...common,
        model: "",
        serial: "",
        firmware: "",
        namespaces: [],
        health: undefined,
        source: "pci",
      };
    }
    const controller = `${device}/nvme/${name}`;
    const [model = "", serial = "", firmware = ""] = await Promise.all(
      ["model", "serial", "firmware_rev"].map((attribute) => this.#sys.read(`${controller}/${attribute}`)),
    );
    const [namespaces, health] = await Promise.all([
      this.#namespaces(controller),
      this.#health(name, options),
    ]);
    return { ...common, model, serial, firmware, namespaces, health, source: "kernel" };
  }

  async #namespaces(controller: string): Promise<readonly NvmeNamespace[]> {
    const names = (await this.#sys.list(controller)).filter((name) => NAMESPACE.test(name));
    const namespaces = await Promise.all(
      names.map(async (name) => ({
        id: Number((await this.#sys.read(`${controller}/${name}/nsid`)) ?? NAMESPACE.exec(name)?.[1] ?? 0),
        // In sectors of 512 bytes, whatever the block size.
        size: BigInt((await this.#sys.read(`${controller}/${name}/size`)) ?? 0) * SECTOR,
      })),
    );
    return namespaces.sort((a, b) => a.id - b.id);
  }

  /** Undefined where nvme-cli is missing, may not ask the controller, or answers nonsense. */
  async #health(name: string, options: BdevCallOptions): Promise<NvmeHealth | undefined> {
    const argv: Argv = ["nvme", "smart-log", "--output-format=json", `/dev/${name}`];
    try {
      const { exitCode, stdout, stderr } = await this.#runner.run(argv, { signal: options.signal });
      if (exitCode === 0) return parseSmartLog(stdout);
      this.#log.debug("no health data", { device: name, reason: stderr.trim() });
    } catch (error) {
      options.signal?.throwIfAborted();
      const reason = hasErrorCode(error, "ENOENT") ? "nvme-cli is not installed" : String(error);
      this.#log.debug("no health data", { device: name, reason });
    }
    return undefined;
  }
}
