import { errorText, Fault, FaultCode, hasCode, toFault } from "@daos/fault";
import type { Logger } from "@daos/log";
import {
  type CommandRunner,
  delay,
  FORMAT_TIMEOUT_MS,
  linuxMountTable,
  linuxSysTree,
  type MountTable,
  type SysTree,
} from "@daos/sys";
import type {
  BackendBurnInOptions,
  BdevBackend,
  BdevCallOptions,
  BdevScanOptions,
  WipeOptions,
  WipeProgress,
} from "./bdev-backend.ts";
import type { NvmeController, NvmeHealth, NvmeNamespace } from "./bdev-types.ts";
import { type BurnInVerdict, burnIn, burnInFindings, DataFoundError } from "./burn-in.ts";
import { whyParked, whyReadOnly, whyUnusable } from "./device-limits.ts";
import { DeviceUses } from "./device-use.ts";
import {
  faultFormatFailed,
  faultHoldsData,
  faultInUse,
  faultMissingDevices,
  faultNotBlank,
  faultUnusable,
  faultVanished,
} from "./faults.ts";
import { NvmeCli } from "./nvme-cli.ts";
import type { NamespaceFormat } from "./parse-nvme-cli.ts";
import { parsePciAddress } from "./pci-address.ts";
import { PciDrivers, USER_DRIVERS } from "./pci-drivers.ts";
import { findData, findNonZero, zeroEnds } from "./zero-ends.ts";

const PCI_DEVICES = "/sys/bus/pci/devices";
/** Mass storage, non-volatile memory; the third byte is the programming interface (02: NVM Express). */
const NVME_CLASS = /^0x0108/;
/** `nvme0n1`, and `nvme0c0n1` where multipath hides the paths. */
const NAMESPACE = /^nvme\d+(?:c\d+)?n(\d+)$/;
/** The kernel removes a device that was pulled in several steps. Timeout for the last one, ms. */
const GONE_MS = 5_000;
const POLL_MS = 250;
const NAMESPACES_MS = 10_000;
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
  /** Timeout for the block devices of the namespaces of a controller, ms. */
  readonly namespacesMs?: number;
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
  readonly #namespacesMs: number;
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
    this.#namespacesMs = options.namespacesMs ?? NAMESPACES_MS;
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

  async checkWipe(pciAddress: string, options: WipeOptions = {}): Promise<void> {
    await this.#guarded(pciAddress, `format the NVMe controller ${pciAddress}`, options, async () => {
      await this.#requireWipeable(pciAddress, options);
    });
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
      const parked = await whyParked(this.#sys, pciAddress);
      if (parked !== undefined) throw faultUnusable(attempted, parked);
    };
    try {
      // A user-space driver hides the namespaces. They are known when the kernel has the controller.
      const alone = () => this.#aloneOnNamespaces(pciAddress, attempted, work);
      return await this.#aloneOnNamespaces(pciAddress, attempted, async () => {
        await look();
        return this.#drivers.borrow(pciAddress, options, alone);
      });
    } catch (error) {
      options.signal?.throwIfAborted();
      const isRefusal =
        error instanceof Fault &&
        !hasCode(error, FaultCode.bdevFormatFailed) &&
        !hasCode(error, FaultCode.bdevToolFailed);
      if (await this.#isGone(pciAddress, isRefusal ? 0 : GONE_MS)) throw faultVanished(attempted);
      if (error instanceof Fault) throw error;
      throw faultFormatFailed(pciAddress, errorText(error));
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

  /** For a while, a device that is being removed is still on the bus, with a state other than `live`. */
  async #isGone(address: string, waitMs: number): Promise<boolean> {
    const device = `${PCI_DEVICES}/${address}`;
    for (let waited = 0; ; waited += POLL_MS) {
      if (!(await this.#isController(address))) return true;
      const [name] = await this.#sys.list(`${device}/nvme`);
      const state = name === undefined ? undefined : await this.#sys.read(`${device}/nvme/${name}/state`);
      const driver = await this.#drivers.driverOf(address);
      const isBack = driver !== undefined && USER_DRIVERS.includes(driver);
      if (state === "live" || isBack || waited >= waitMs) return /^(?:deleting|dead)/.test(state ?? "");
      await delay(POLL_MS);
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
      const reason = toFault(error).message;
      // It is normal that a user without privileges gets no health data, but not that an answer is unreadable.
      const isOdd =
        hasCode(error, FaultCode.bdevToolFailed) && !/permission denied|not permitted/i.test(reason);
      this.#log[isOdd ? "warn" : "debug"]("no health data", { device: name, reason });
      return undefined;
    }
  }

  /** @returns the name of the controller, and those of its block devices @throws Fault bdevInUse, bdevFormatFailed */
  async #requireUsable(
    address: string,
    attempted: string,
    options: BdevCallOptions,
  ): Promise<{ readonly controller: string; readonly names: readonly string[] }> {
    const [controller] = await this.#sys.list(`${PCI_DEVICES}/${address}/nvme`);
    const names =
      controller === undefined ? [] : await this.#allBlockDevices(address, controller, attempted, options);
    const use = await this.#uses.find(address);
    if (use !== undefined) throw faultInUse(attempted, use);
    const limit = (await whyUnusable(this.#sys, address, names)) ?? (await whyReadOnly(this.#sys, names));
    if (limit !== undefined) throw faultUnusable(attempted, limit);
    if (controller === undefined || names.length === 0)
      throw faultUnusable(attempted, "it has no namespaces");
    return { controller, names };
  }

  /**
   * The block devices of all namespaces. The kernel adds them one by one after it has taken the controller: one that comes late
   * must not keep its data through a format.
   *
   * @throws Fault bdevFormatFailed for a namespace without block device
   */
  async #allBlockDevices(
    address: string,
    controller: string,
    attempted: string,
    options: BdevCallOptions,
  ): Promise<readonly string[]> {
    const ids = (await this.#nvme.attachedIds(controller, options)) ?? [];
    for (let waited = 0; ; waited += POLL_MS) {
      const names = await this.#uses.blockDevices(address);
      const isThere = await Promise.all(names.map((name) => this.#hasBlockDevice(name)));
      const known = await Promise.all(names.map((name) => this.#namespaceId(name)));
      const missing =
        ids.find((id) => !known.includes(id)) ?? known.find((_, index) => isThere[index] === false);
      if (missing === undefined) return names;
      if (waited >= this.#namespacesMs)
        throw faultUnusable(attempted, `its namespace ${missing} has no block device`);
      await delay(POLL_MS, options);
    }
  }

  /** With multipath, a path is there before the kernel has made the block device from its first usable path. */
  async #hasBlockDevice(name: string): Promise<boolean> {
    return (await this.#sys.read(`/sys/class/block/${name}/size`)) !== undefined;
  }

  async #namespaceId(name: string): Promise<number> {
    const id = await this.#sys.read(`/sys/class/block/${name}/nsid`);
    return Number(id ?? NAMESPACE.exec(name)?.[1] ?? 0);
  }

  async #requireWipeable(address: string, options: WipeOptions) {
    const found = await this.#requireUsable(address, `format the NVMe controller ${address}`, options);
    const contents = options.reformat === true ? undefined : await this.#uses.contents(address, options);
    if (contents !== undefined) throw faultHoldsData(address, contents);
    return found;
  }

  async #wipeNamespaces(address: string, options: WipeOptions): Promise<void> {
    const { controller, names } = await this.#requireWipeable(address, options);
    const formats = await this.#formats(controller, names, options);
    let highest = 0;
    for (const [index, name] of names.entries()) {
      await this.#wipeNamespace(address, name, formats[index], {
        signal: options.signal,
        onProgress: ({ step, fraction }) => {
          highest = Math.max(highest, (index + fraction) / names.length);
          options.onProgress?.({ step, fraction: highest });
        },
      });
    }
  }

  /**
   * How each namespace is formatted, with the settings that it has; undefined for one that is not formatted but overwritten.
   * Some controllers format all namespaces of the subsystem at once, with the same settings. That must not change or erase a
   * namespace that is not to be formatted: one with other settings, one that is detached, or one of another controller.
   */
  async #formats(
    controller: string,
    names: readonly string[],
    options: BdevCallOptions,
  ): Promise<readonly (NamespaceFormat | undefined)[]> {
    const { canFormat, formatsAll, managesNamespaces } = await this.#nvme.formatSupport(controller, options);
    if (!canFormat) return [];
    const formats: NamespaceFormat[] = [];
    for (const name of names) formats.push(await this.#nvme.namespaceFormat(`${this.#dev}/${name}`, options));
    if (!formatsAll) return formats;
    const allocated = managesNamespaces ? await this.#nvme.allocatedIds(controller, options) : [];
    const own = await Promise.all(names.map((name) => this.#namespaceId(name)));
    const isAlone = allocated.every((id) => own.includes(id));
    const isSame = formats.every((format) => JSON.stringify(format) === JSON.stringify(formats[0]));
    return isAlone && isSame ? formats : [];
  }

  /** One namespace after the other, each with an equal share of the time. */
  async #burnInNamespaces(address: string, options: BackendBurnInOptions): Promise<BurnInVerdict> {
    const { controller, names } = await this.#requireUsable(
      address,
      `burn in the NVMe controller ${address}`,
      options,
    );
    const contents = await this.#uses.contents(address, options);
    if (contents !== undefined) throw faultNotBlank(address, contents);
    for (const name of names) {
      const { device, size } = await this.#namespace(name);
      await this.#flush(device, options);
      const offset = await findData(device, size, { signal: options.signal });
      if (offset !== undefined) throw faultNotBlank(address, `byte ${offset} of ${name} is not empty`);
    }
    const before = await this.#health(controller, options);
    const verdicts: BurnInVerdict[] = [];
    for (const [index, name] of names.entries()) {
      const { device, size } = await this.#namespace(name);
      const end = await this.#burnInNamespace(device, size, {
        ...options,
        durationMs: options.durationMs / names.length,
        onProgress: (fraction) => options.onProgress?.((index + fraction) / names.length),
      });
      if (end instanceof DataFoundError)
        throw faultNotBlank(address, `byte ${end.offset} of ${name} is not empty`);
      verdicts.push(end);
      if (end.kind !== "passed") break;
    }
    const after = await this.#health(controller, {});
    const findings = before === undefined || after === undefined ? [] : burnInFindings(before, after);
    return joinVerdicts(verdicts, findings);
  }

  /** Removes the test pattern afterwards, also after an abort and when data is found. */
  async #burnInNamespace(
    device: string,
    size: bigint,
    options: BackendBurnInOptions,
  ): Promise<BurnInVerdict | DataFoundError> {
    let end: BurnInVerdict | DataFoundError;
    try {
      end = await burnIn(device, size, {
        ...options,
        keepData: true,
        flush: (path) => this.#flush(path, {}),
      });
    } catch (error) {
      if (!(error instanceof DataFoundError)) throw error;
      end = error;
    }
    const written = end instanceof DataFoundError ? BigInt(end.written) : end.bytesWritten;
    const length = written < size ? written : size;
    if (length > 0n) {
      const argv = ["blkdiscard", "--zeroout", "--length", `${length}`, device] as const;
      const { exitCode, stderr } = await this.#nvme.run([...argv], { timeoutMs: FORMAT_TIMEOUT_MS });
      if (exitCode !== 0)
        this.#log.warn("the pattern of the burn-in is still on the device", {
          device,
          reason: stderr.trim(),
        });
      // Signatures at the ends decide how a device is recognized. Ends where foreign data was found are left alone.
      if (!(end instanceof DataFoundError)) await zeroEnds(device, size);
    }
    return end;
  }

  async #namespace(name: string): Promise<{ readonly device: string; readonly size: bigint }> {
    const size = BigInt((await this.#sys.read(`/sys/class/block/${name}/size`)) ?? 0) * SECTOR;
    return { device: `${this.#dev}/${name}`, size };
  }

  /** Cached pages would be read in place of the device. */
  async #flush(device: string, options: BdevCallOptions): Promise<void> {
    await this.#nvme.must(["blockdev", "--flushbufs", device], { signal: options.signal });
  }

  /** Formats and verifies. If Format NVM is not supported or leaves data, writes zeros and verifies again. */
  async #wipeNamespace(
    address: string,
    name: string,
    format: NamespaceFormat | undefined,
    options: WipeOptions,
  ): Promise<void> {
    const part = (step: WipeProgress["step"], from: number, to: number) => (fraction: number) =>
      options.onProgress?.({ step, fraction: from + (to - from) * fraction });
    part("format", 0, 0.8)(0);
    const { device } = await this.#namespace(name);
    if (format !== undefined) {
      const onProgress = part("format", 0, 0.8);
      await this.#nvme.format(device, format, { signal: options.signal, onProgress });
    }
    // Read after the format, which may change the size.
    const { size } = await this.#namespace(name);
    if (size === 0n) throw faultFormatFailed(address, `${name} has no size after the format`);
    const look = async (from: number, to: number) => {
      await this.#flush(device, options);
      return findNonZero(device, size, { signal: options.signal, onProgress: part("verify", from, to) });
    };
    if (format !== undefined && (await look(0.8, 0.85)) === undefined) {
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
