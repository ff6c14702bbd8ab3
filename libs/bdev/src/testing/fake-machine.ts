import { open } from "node:fs/promises";
import { basename, join } from "node:path";
import type { CommandResult } from "@daos/sys";
import { FakeCommandRunner, FakeMountTable, FakeSysTree } from "@daos/sys/testing";

/** A controller of a {@link FakeMachine}. */
export interface FakeController {
  readonly address: string;
  /** `nvme0`, its name while the kernel's driver has it. */
  readonly name: string;
  readonly serial: string;
  readonly numaNode: number;
  /** In bytes, of its one namespace. */
  readonly size: number;
  readonly iommuGroup?: number;
}

export interface FakeMachineOptions {
  readonly controllers: readonly FakeController[];
  readonly privileged?: boolean;
  /** Directory with one file for each namespace's contents; needed only for a format. */
  readonly devDirectory?: string;
  /** 2 MiB pages that each of the two NUMA nodes can give. */
  readonly hugepagesPerNode?: number;
  readonly smartLog?: string;
  /** False for a machine without IOMMU. */
  readonly iommu?: boolean;
}

const PCI = "/sys/bus/pci";

/**
 * A machine with NVMe controllers: its kernel binds and unbinds drivers, hands out hugepages, and has an nvme-cli that
 * knows Format NVM. Tests change `sys`, `runner` and `mounts` to make things go wrong.
 */
export class FakeMachine {
  readonly sys = new FakeSysTree();
  readonly runner = new FakeCommandRunner();
  readonly mounts: FakeMountTable;
  /** The loaded drivers. */
  readonly modules = new Set(["nvme"]);
  readonly #controllers: readonly FakeController[];
  readonly #devDirectory: string;

  constructor(options: FakeMachineOptions) {
    this.#controllers = options.controllers;
    this.#devDirectory = options.devDirectory ?? "/dev";
    this.mounts = new FakeMountTable({ privileged: options.privileged ?? true });
    this.mounts.answer(this.runner);
    this.#hugepages(options.hugepagesPerNode ?? 4096);
    for (const controller of options.controllers) this.#plug(controller, options.iommu ?? true);
    this.#bus();
    this.#tools(options.smartLog ?? SMART_LOG);
  }

  /** The path of a namespace's contents. */
  device(name: string): string {
    return join(this.#devDirectory, `${name}n1`);
  }

  driverOf(address: string): Promise<string | undefined> {
    return this.sys.resolve(`${PCI}/devices/${address}/driver`).then((path) => path?.split("/").at(-1));
  }

  /** What blkid prints for a device or partition, `TYPE=ext4`. A format removes it. */
  readonly contents = new Map<string, string>();

  /** Answers as util-linux 2.38 does, which says nothing about a missing device. */
  async #blkid(name: string): Promise<string | Partial<CommandResult>> {
    if ((await this.sys.list(`/sys/class/block/${name}`)).length === 0) return { exitCode: 2 };
    const contents = this.contents.get(name);
    return contents === undefined ? { exitCode: 2 } : `DEVNAME=/dev/${name}\n${contents}\n`;
  }

  /** Removes a controller from the bus. */
  unplug(address: string): void {
    this.sys.remove(`${PCI}/devices/${address}`);
    const entry = this.#controllers.find((controller) => controller.address === address);
    if (entry !== undefined) this.sys.remove(`/sys/class/block/${entry.name}n1`);
  }

  #plug(controller: FakeController, iommu: boolean): void {
    const { address, numaNode, iommuGroup } = controller;
    const device = `${PCI}/devices/${address}`;
    this.sys.files({
      [`${device}/class`]: "0x010802\n",
      [`${device}/vendor`]: "0x1b36\n",
      [`${device}/device`]: "0x0010\n",
      [`${device}/numa_node`]: `${numaNode}\n`,
      [`${device}/driver_override`]: "(null)\n",
      [`${device}/config`]: "",
      [`${device}/resource0`]: "",
    });
    if (iommu) {
      const group = `/sys/kernel/iommu_groups/${iommuGroup ?? Number.parseInt(address.slice(5, 7), 16)}`;
      this.sys.files({ [`${group}/type`]: "DMA" });
      this.sys.link(`${group}/devices/${address}`, device);
      this.sys.link(`${device}/iommu_group`, group);
    }
    this.#bindKernel(controller);
  }

  #bindKernel(controller: FakeController): void {
    const { address, name, serial, size } = controller;
    const device = `${PCI}/devices/${address}`;
    this.sys.files({
      [`${PCI}/drivers/nvme/unbind`]: "",
      [`${device}/nvme/${name}/model`]: "QEMU NVMe Ctrl                          \n",
      [`${device}/nvme/${name}/serial`]: `${serial}          \n`,
      [`${device}/nvme/${name}/firmware_rev`]: "7.2.22  \n",
      [`${device}/nvme/${name}/state`]: "live\n",
      [`${device}/nvme/${name}/${name}n1/nsid`]: "1\n",
      [`${device}/nvme/${name}/${name}n1/size`]: `${size / 512}\n`,
      [`/sys/class/block/${name}n1/size`]: `${size / 512}\n`,
      [`/sys/class/block/${name}n1/dev`]: `259:${name.slice(4)}\n`,
    });
    this.sys.link(`${device}/driver`, `${PCI}/drivers/nvme`);
  }

  #bus(): void {
    this.sys.onWrite(/\/drivers\/[^/]+\/unbind$/, (address) => {
      const controller = this.#find(address);
      const device = `${PCI}/devices/${address}`;
      this.sys.remove(`${device}/driver`).remove(`${device}/nvme`).remove(`${device}/uio`);
      this.sys.remove(`/sys/class/block/${controller.name}n1`);
    });
    this.sys.onWrite(/\/drivers_probe$/, async (address) => {
      const controller = this.#find(address);
      const device = `${PCI}/devices/${address}`;
      const override = (await this.sys.read(`${device}/driver_override`)) ?? "";
      const driver = override === "" || override === "(null)" ? "nvme" : override;
      if (!this.modules.has(driver)) return;
      if (driver === "nvme") return this.#bindKernel(controller);
      this.sys.files({ [`${PCI}/drivers/${driver}/unbind`]: "" });
      this.sys.link(`${device}/driver`, `${PCI}/drivers/${driver}`);
      if (driver === "uio_pci_generic") this.sys.files({ [`${device}/uio/uio0/name`]: driver });
    });
  }

  #find(address: string): FakeController {
    const controller = this.#controllers.find((entry) => entry.address === address);
    if (controller === undefined) throw Object.assign(new Error("ENODEV"), { code: "ENODEV" });
    return controller;
  }

  #hugepages(most: number): void {
    for (const node of ["node0", "node1"]) {
      const file = `/sys/devices/system/node/${node}/hugepages/hugepages-2048kB/nr_hugepages`;
      this.sys.files({ [file]: "0" });
      this.sys.onWrite(new RegExp(`/${node}/hugepages/`), (value) => {
        this.sys.files({ [file]: `${Math.min(Number(value), most)}` });
      });
    }
    this.sys.files({ "/proc/sys/vm/compact_memory": "" });
  }

  #tools(smartLog: string): void {
    this.runner
      .on("nvme smart-log", smartLog)
      .on("nvme id-ctrl", '{"oacs":266}')
      .on("nvme list-ns", '{"nsid_list":[{"nsid":1}]}')
      .on("nvme id-ns", '{"nsze":2048,"flbas":0,"dps":0,"fpi":0,"lbafs":[{"ms":0,"ds":9,"rp":0}]}')
      .on("blockdev --flushbufs", "")
      .on("blkdiscard", "")
      .on("wipefs --no-act", "")
      .on("blkid --probe --output export", (argv) => this.#blkid(basename(argv[4] ?? "")))
      .on("udevadm settle", "")
      .on("modprobe", (argv) => {
        this.modules.add(argv[1] ?? "");
        return "";
      })
      .on("nvme format", async (argv) => {
        const file = await open(argv[2] ?? "", "r+");
        try {
          const { size } = await file.stat();
          await file.truncate(0);
          await file.truncate(size);
        } finally {
          await file.close();
        }
        for (const name of this.contents.keys()) {
          if (name.startsWith(basename(argv[2] ?? ""))) this.contents.delete(name);
        }
        return "Success formatting namespace:1\n";
      });
  }
}

const SMART_LOG = '{"critical_warning":0,"temperature":323,"media_errors":"0","power_cycles":"3"}';
