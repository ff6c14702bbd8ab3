import { chown, stat } from "node:fs/promises";
import { Fault } from "@daos/fault";
import type { Logger } from "@daos/log";
import { type CommandRunner, linuxMountTable, linuxSysTree, type MountTable, type SysTree } from "@daos/sys";
import type {
  BackendBurnInOptions,
  BdevBackend,
  BdevCallOptions,
  BdevScanOptions,
  WipeOptions,
  WipeProgress,
} from "./bdev-backend.ts";
import type { NvmeController, NvmeHealth, NvmeNamespace } from "./bdev-types.ts";
import { type BurnInVerdict, burnIn, burnInFindings } from "./burn-in.ts";
import { DeviceUses, userSpaceNodes } from "./device-use.ts";
import {
  faultFormatFailed,
  faultHoldsData,
  faultInUse,
  faultMissingDevices,
  faultNotBlank,
  faultVanished,
} from "./faults.ts";
import { NvmeCli } from "./nvme-cli.ts";
import { parsePciAddress } from "./pci-address.ts";
import { PciDrivers, USER_DRIVERS } from "./pci-drivers.ts";
import { findNonZero, zeroEnds } from "./zero-ends.ts";

const PCI_DEVICES = "/sys/bus/pci/devices";
/** Mass storage, non-volatile memory; the third byte is the programming interface (02: NVM Express). */
const NVME_CLASS = /^0x0108/;
/** `nvme0n1`, and `nvme0c0n1` where multipath hides the paths. */
const NAMESPACE = /^nvme\d+(?:c\d+)?n(\d+)$/;
/** The unit of sizes in sysfs, for every block size. */
const SECTOR = 512n;

export interface KernelBackendOptions {
  readonly runner: CommandRunner;
  readonly log: Logger;
  /** The kernel's by default, as are the next ones. */
  readonly sys?: SysTree;
  readonly mounts?: MountTable;
  readonly uses?: DeviceUses;
  readonly drivers?: PciDrivers;
  /** The directory of the block devices. */
  readonly devDirectory?: string;
}

/**
 * Controllers of the kernel: sysfs gives identity and namespaces, nvme-cli health and format. A controller that is bound to
 * a user-space driver is returned to the kernel for a wipe and bound back afterwards.
 */
export class KernelBackend implements BdevBackend {
  readonly name = "kernel";
  readonly #sys: SysTree;
  readonly #log: Logger;
  readonly #nvme: NvmeCli;
  readonly #uses: DeviceUses;
  readonly #drivers: PciDrivers;
  readonly #dev: string;
  /** The controller through which a namespace is formatted or burnt in, by the namespace's identity. */
  readonly #busy = new Map<string, string>();

  constructor(options: KernelBackendOptions) {
    const { runner, sys = linuxSysTree, mounts = linuxMountTable, devDirectory = "/dev" } = options;
    this.#sys = sys;
    this.#log = options.log;
    this.#nvme = new NvmeCli(runner);
    this.#uses = options.uses ?? new DeviceUses({ sys, mounts, runner, devDirectory });
    this.#drivers = options.drivers ?? new PciDrivers({ sys, runner });
    this.#dev = devDirectory;
  }

  async scan(options: BdevScanOptions = {}): Promise<readonly NvmeController[]> {
    options.signal?.throwIfAborted();
    const addresses: string[] = [];
    for (const address of await this.#sys.list(PCI_DEVICES)) {
      if (parsePciAddress(address) !== undefined && (await this.#isController(address)))
        addresses.push(address);
    }
    return Promise.all(addresses.map((address) => this.#controller(address, options)));
  }

  async wipe(pciAddress: string, options: WipeOptions = {}): Promise<void> {
    await this.#guarded(pciAddress, `format the NVMe controller ${pciAddress}`, options, () =>
      this.#wipeNamespaces(pciAddress, options),
    );
  }

  async burnIn(pciAddress: string, options: BackendBurnInOptions): Promise<BurnInVerdict> {
    return this.#guarded(pciAddress, `burn in the NVMe controller ${pciAddress}`, options, () =>
      this.#burnInNamespaces(pciAddress, options),
    );
  }

  /** Runs work on an existing, unused controller while the kernel drives it. */
  async #guarded<T>(
    pciAddress: string,
    attempted: string,
    options: BdevCallOptions,
    work: () => Promise<T>,
  ): Promise<T> {
    if (!(await this.#isController(pciAddress))) {
      throw faultMissingDevices(
        [pciAddress],
        (await this.scan({ signal: options.signal, health: false })).map((entry) => entry.pciAddress),
      );
    }
    const look = async () => {
      const use = await this.#uses.find(pciAddress);
      if (use !== undefined) throw faultInUse(attempted, use);
    };
    try {
      // A user-space driver hides the namespaces. They are known when the kernel has the controller.
      const alone = () => this.#aloneOnNamespaces(pciAddress, attempted, work);
      return await this.#aloneOnNamespaces(pciAddress, attempted, async () => {
        await look();
        return this.#withKernelDriver(pciAddress, options, alone);
      });
    } catch (error) {
      options.signal?.throwIfAborted();
      if (!(await this.#isController(pciAddress))) throw faultVanished(attempted);
      if (error instanceof Fault) throw error;
      throw faultFormatFailed(pciAddress, error instanceof Error ? error.message : String(error));
    }
  }

  /** Another path to the same namespace must wait. @throws Fault bdevInUse */
  async #aloneOnNamespaces<T>(address: string, attempted: string, work: () => Promise<T>): Promise<T> {
    const ids = await this.#uses.namespaceIds(address);
    const other = ids
      .map((id) => this.#busy.get(id))
      .find((holder) => holder !== undefined && holder !== address);
    if (other !== undefined) {
      throw faultInUse(
        attempted,
        `${other}, another path to the same device, is being formatted or burnt in`,
      );
    }
    const mine = ids.filter((id) => !this.#busy.has(id));
    for (const id of mine) this.#busy.set(id, address);
    try {
      return await work();
    } finally {
      for (const id of mine) this.#busy.delete(id);
    }
  }

  async #isController(address: string): Promise<boolean> {
    const code = await this.#sys.read(`${PCI_DEVICES}/${address}/class`);
    return code !== undefined && NVME_CLASS.test(code);
  }

  async #controller(address: string, options: BdevScanOptions): Promise<NvmeController> {
    const device = `${PCI_DEVICES}/${address}`;
    const [driver, numaNode, vendor, model, names] = await Promise.all([
      this.#drivers.driverOf(address),
      this.#sys.read(`${device}/numa_node`),
      this.#sys.read(`${device}/vendor`),
      this.#sys.read(`${device}/device`),
      this.#sys.list(`${device}/nvme`),
    ]);
    const pciId = [vendor, model].map((id) => (id ?? "0x0000").replace("0x", "")).join(":");
    // -1 stands for "no node", as on a machine without NUMA.
    const common = { pciAddress: address, numaNode: Math.max(0, Number(numaNode ?? 0)), pciId, driver };
    const [name] = names;
    if (name === undefined) {
      return {
        ...common,
        model: `PCI ${pciId}`,
        serial: "",
        firmware: "",
        namespaces: [],
        health: undefined,
        source: "pci",
      };
    }
    const [text, namespaces, health] = await Promise.all([
      Promise.all(
        ["model", "serial", "firmware_rev"].map((field) => this.#sys.read(`${device}/nvme/${name}/${field}`)),
      ),
      this.#namespaces(`${device}/nvme/${name}`),
      options.health === false ? undefined : this.#health(name, options),
    ]);
    const [modelName = "", serial = "", firmware = ""] = text;
    return { ...common, model: modelName, serial, firmware, namespaces, health, source: "kernel" };
  }

  async #namespaces(controller: string): Promise<readonly NvmeNamespace[]> {
    const names = (await this.#sys.list(controller)).filter((name) => NAMESPACE.test(name));
    const namespaces = await Promise.all(
      names.map(async (name) => ({
        id: Number((await this.#sys.read(`${controller}/${name}/nsid`)) ?? NAMESPACE.exec(name)?.[1] ?? 0),
        size: BigInt((await this.#sys.read(`${controller}/${name}/size`)) ?? 0) * SECTOR,
      })),
    );
    return namespaces.sort((a, b) => a.id - b.id);
  }

  async #health(name: string, options: BdevCallOptions): Promise<NvmeHealth | undefined> {
    try {
      return await this.#nvme.health(name, options);
    } catch (error) {
      options.signal?.throwIfAborted();
      this.#log.debug("no health data", { device: name, reason: String(error) });
      return undefined;
    }
  }

  /** Takes a controller from its user-space driver, and binds it back with the same owner afterwards. */
  async #withKernelDriver<T>(address: string, options: BdevCallOptions, work: () => Promise<T>): Promise<T> {
    const driver = await this.#drivers.driverOf(address);
    if (driver !== undefined && !USER_DRIVERS.includes(driver)) return work();
    const owners = await Promise.all(
      (await userSpaceNodes(this.#sys, address)).map(async (node) => ({ node, owner: await ownerOf(node) })),
    );
    try {
      await this.#drivers.release(address, options);
      return await work();
    } finally {
      if (driver !== undefined && (await this.#isController(address))) {
        await this.#drivers.bind(address, driver);
        for (const { node, owner } of owners) {
          if (owner !== undefined) await chown(node, owner.uid, owner.gid).catch(() => {});
        }
      }
    }
  }

  async #wipeNamespaces(address: string, options: WipeOptions): Promise<void> {
    const [controller] = await this.#sys.list(`${PCI_DEVICES}/${address}/nvme`);
    const names = await this.#uses.blockDevices(address);
    if (controller === undefined || names.length === 0) {
      throw faultFormatFailed(address, "it has no namespaces");
    }
    const use = await this.#uses.find(address);
    if (use !== undefined) throw faultInUse(`format the NVMe controller ${address}`, use);
    const contents = options.reformat === true ? undefined : await this.#uses.contents(address, options);
    if (contents !== undefined) throw faultHoldsData(address, contents);
    const canFormat = await this.#nvme.canFormat(controller, options);
    let highest = 0;
    for (const [index, name] of names.entries()) {
      await this.#wipeNamespace(address, name, canFormat, {
        signal: options.signal,
        onProgress: ({ step, fraction }) => {
          highest = Math.max(highest, (index + fraction) / names.length);
          options.onProgress?.({ step, fraction: highest });
        },
      });
    }
  }

  /** One namespace after the other, each with an equal share of the time. */
  async #burnInNamespaces(address: string, options: BackendBurnInOptions): Promise<BurnInVerdict> {
    const [controller] = await this.#sys.list(`${PCI_DEVICES}/${address}/nvme`);
    const names = await this.#uses.blockDevices(address);
    if (controller === undefined || names.length === 0) {
      throw faultFormatFailed(address, "it has no namespaces");
    }
    const use = await this.#uses.find(address);
    if (use !== undefined) throw faultInUse(`burn in the NVMe controller ${address}`, use);
    const contents = await this.#uses.contents(address, options);
    if (contents !== undefined) throw faultNotBlank(address, contents);
    for (const name of names) {
      const { device, size } = await this.#namespace(name);
      await this.#flush(device, options);
      const offset = await findNonZero(device, size, { signal: options.signal });
      if (offset !== undefined) throw faultNotBlank(address, `byte ${offset} of ${name} is not empty`);
    }
    const before = await this.#health(controller, options);
    const verdicts: BurnInVerdict[] = [];
    for (const [index, name] of names.entries()) {
      const { device, size } = await this.#namespace(name);
      const verdict = await burnIn(device, size, {
        ...options,
        durationMs: options.durationMs / names.length,
        flush: (path) => this.#flush(path, {}),
        onProgress: (fraction) => options.onProgress?.((index + fraction) / names.length),
      });
      verdicts.push(verdict);
      // After an abort too: the test pattern must not stay on the device.
      await zeroEnds(device, size);
      if (verdict.kind !== "passed") break;
    }
    const after = await this.#health(controller, {});
    const findings = before === undefined || after === undefined ? [] : burnInFindings(before, after);
    return joinVerdicts(verdicts, findings);
  }

  async #namespace(name: string): Promise<{ readonly device: string; readonly size: bigint }> {
    const size = BigInt((await this.#sys.read(`/sys/class/block/${name}/size`)) ?? 0) * SECTOR;
    return { device: `${this.#dev}/${name}`, size };
  }

  /** Cached pages would be read in place of the device. */
  async #flush(device: string, options: BdevCallOptions): Promise<void> {
    const { exitCode, stderr } = await this.#nvme.run(["blockdev", "--flushbufs", device], {
      signal: options.signal,
    });
    if (exitCode !== 0) throw new Error(stderr.trim());
  }

  /** Formats and verifies. If Format NVM is not supported or leaves data, writes zeros and verifies again. */
  async #wipeNamespace(
    address: string,
    name: string,
    canFormat: boolean,
    options: WipeOptions,
  ): Promise<void> {
    const part = (step: WipeProgress["step"], from: number, to: number) => (fraction: number) =>
      options.onProgress?.({ step, fraction: from + (to - from) * fraction });
    part("format", 0, 0.8)(0);
    const { device } = await this.#namespace(name);
    if (canFormat) {
      const onProgress = part("format", 0, 0.8);
      await this.#nvme.format(device, { signal: options.signal, onProgress });
    }
    // Read after the format, which may change the size.
    const { size } = await this.#namespace(name);
    if (size === 0n) throw faultFormatFailed(address, `${name} has no size after the format`);
    const look = async (from: number, to: number) => {
      await this.#flush(device, options);
      return findNonZero(device, size, { signal: options.signal, onProgress: part("verify", from, to) });
    };
    if (canFormat && (await look(0.8, 0.85)) === undefined) {
      part("verify", 1, 1)(1);
      return;
    }
    await this.#nvme.run(["blkdiscard", device], options);
    await zeroEnds(device, size, { signal: options.signal, onProgress: part("zero", 0.85, 0.95) });
    const offset = await look(0.95, 1);
    if (offset !== undefined)
      throw faultFormatFailed(address, `byte ${offset} of ${name} is not zero afterwards`);
  }
}

async function ownerOf(path: string): Promise<{ uid: number; gid: number } | undefined> {
  try {
    const { uid, gid } = await stat(path);
    return { uid, gid };
  } catch {
    return undefined;
  }
}

function joinVerdicts(verdicts: readonly BurnInVerdict[], findings: readonly string[]): BurnInVerdict {
  const sum = (field: (verdict: BurnInVerdict) => bigint) =>
    verdicts.reduce((total, verdict) => total + field(verdict), 0n);
  const worst =
    verdicts.find(({ kind }) => kind === "failed") ?? verdicts.find(({ kind }) => kind === "aborted");
  const kind = findings.length > 0 ? "failed" : (worst?.kind ?? "passed");
  return {
    kind,
    bytesWritten: sum(({ bytesWritten }) => bytesWritten),
    bytesVerified: sum(({ bytesVerified }) => bytesVerified),
    elapsedMs: verdicts.reduce((total, { elapsedMs }) => total + elapsedMs, 0),
    errors: verdicts.flatMap(({ errors }) => errors),
    findings,
  };
}
