/** The hardware of the virtual machine. */
export interface Machine {
  /** NUMA nodes, each with a processor core, memory, a PCI host bridge and a network interface. */
  readonly nodes: number;
  /** In total. */
  readonly memoryMiB: number;
  /** NVMe controllers, distributed over the nodes. */
  readonly nvme: readonly NvmeDrive[];
  /** NVDIMMs without labels, distributed over the nodes. */
  readonly nvdimmsMiB: readonly number[];
}

type NvmeDrive = PlainDrive | UnusualDrive;

/** A controller with one namespace. */
interface PlainDrive {
  readonly serial: string;
  readonly sizeMiB: number;
  /** Emulates a slow device: the limit of reads and writes together, bytes per second. */
  readonly bytesPerSecond?: number;
}

/** A controller whose namespaces are devices of their own. */
interface UnusualDrive {
  readonly serial: string;
  /** Controllers of one subsystem share its namespaces. */
  readonly subsystem?: string;
  /** Further options of QEMU's `nvme`, such as `sriov_max_vfs=1`. */
  readonly options?: string;
  readonly namespaces: readonly NvmeNamespace[];
}

interface NvmeNamespace {
  readonly id: number;
  readonly sizeMiB: number;
  /** Further options of QEMU's `nvme-ns`, such as `zoned=on`. */
  readonly options?: string;
}

/** The virtual machine's files on the host. */
export interface MachineFiles {
  readonly kernel: string;
  readonly initramfs: string;
  readonly modules: string;
  readonly control: string;
  readonly console: string;
  /** Images of drives, their namespaces and NVDIMMs: `nvme0`, `nvme1-7`, `nvdimm0`, ... */
  readonly images: string;
}

const LABEL_MIB = 2;

/**
 * The arguments of qemu-system-x86_64 for a machine, with KVM or (`tcg`) emulation.
 *
 * Every node has its own host bridge, so that PCI devices have a node. The IOMMU gives each slot a group.
 */
export function qemuArguments(
  machine: Machine,
  files: MachineFiles,
  accel: "kvm" | "tcg",
): readonly string[] {
  const { nodes } = machine;
  const memory = Math.floor(machine.memoryMiB / nodes);
  const pmem = machine.nvdimmsMiB.reduce((sum, size) => sum + size + LABEL_MIB + 1024, 1024);
  const everyNode = Array.from({ length: nodes }, (_, node) => node);
  let slot = 0;
  const rootPort = (node: number, id: string): readonly string[] => {
    slot += 1;
    return ["-device", `pcie-root-port,id=${id},bus=bridge${node},chassis=${slot},slot=${slot},io-reserve=0`];
  };
  return [
    ...["-nodefaults", "-no-user-config", "-no-reboot", "-display", "none"],
    ...["-accel", accel === "kvm" ? "kvm,kernel-irqchip=split" : "tcg,thread=multi"],
    ...["-machine", "q35,nvdimm=on,nvdimm-persistence=mem-ctrl,hpet=off,sata=off,usb=off", "-cpu", "max"],
    ...["-smp", `cpus=${nodes},sockets=${nodes},cores=1,threads=1`],
    ...[
      "-m",
      `size=${memory * nodes}M,slots=${machine.nvdimmsMiB.length + 1},maxmem=${memory * nodes + pmem}M`,
    ],
    ...["-kernel", files.kernel, "-initrd", files.initramfs],
    // Under load the emulated timer may be late, and the kernel's timer check would panic.
    ...["-append", "console=ttyS0 quiet panic=-1 intel_iommu=on iommu=pt no_timer_check"],
    ...["-serial", `file:${files.console}`, "-device", "intel-iommu,intremap=on"],
    ...share("root", "/", "security_model=none,readonly=on"),
    ...share("modules", files.modules, "security_model=none,readonly=on"),
    ...share("control", files.control, "security_model=none"),
    // The firmware lists the bridges in reverse. Adding them in reverse gives the order of the nodes.
    ...everyNode
      .toReversed()
      .flatMap((node) => [
        ...["-object", `memory-backend-ram,id=memory${node},size=${memory}M`],
        ...["-numa", `node,nodeid=${node},memdev=memory${node},cpus=${node}`],
        ...["-device", `pxb-pcie,id=bridge${node},bus=pcie.0,bus_nr=${32 + 32 * node},numa_node=${node}`],
        ...rootPort(node, `net-slot${node}`),
        ...["-netdev", `hubport,id=net${node},hubid=0`],
        ...[
          "-device",
          `virtio-net-pci,netdev=net${node},bus=net-slot${node},mac=52:54:00:00:00:0${node},romfile=`,
        ],
      ]),
    ...everyNode.flatMap((node) =>
      everyNode
        .filter((other) => other !== node)
        .flatMap((other) => ["-numa", `dist,src=${node},dst=${other},val=21`]),
    ),
    ...subsystemsOf(machine).flatMap((name) => ["-device", `nvme-subsys,id=${name},nqn=${name}`]),
    ...machine.nvme.flatMap((drive, index) => [
      ...rootPort(index % nodes, `nvme-slot${index}`),
      ...driveArguments(drive, index, files.images),
    ]),
    ...machine.nvdimmsMiB.flatMap((size, index) => [
      ...[
        "-object",
        `memory-backend-file,id=pmem${index},share=on,mem-path=${files.images}/nvdimm${index},size=${size + LABEL_MIB}M`,
      ],
      ...[
        "-device",
        `nvdimm,id=nvdimm${index},memdev=pmem${index},label-size=${LABEL_MIB}M,node=${index % nodes}`,
      ],
    ]),
  ];
}

/** The images of a machine, by file name, with their sizes in MiB. */
export function imageSizes(machine: Machine): ReadonlyMap<string, number> {
  return new Map([
    ...machine.nvme.flatMap((drive, index): readonly [string, number][] =>
      "sizeMiB" in drive
        ? [[`nvme${index}`, drive.sizeMiB]]
        : drive.namespaces.map(({ id, sizeMiB }) => [`nvme${index}-${id}`, sizeMiB]),
    ),
    ...machine.nvdimmsMiB.map((size, index): [string, number] => [`nvdimm${index}`, size + LABEL_MIB]),
  ]);
}

function driveArguments(drive: NvmeDrive, index: number, images: string): readonly string[] {
  const controller = `nvme,id=controller${index},bus=nvme-slot${index},serial=${drive.serial}`;
  if ("sizeMiB" in drive) {
    const { bytesPerSecond } = drive;
    const throttle = bytesPerSecond === undefined ? "" : `,throttling.bps-total=${bytesPerSecond}`;
    const image = imageOption(`nvme${index}`, images);
    return ["-drive", `${image}${throttle}`, "-device", `${controller},drive=nvme${index}`];
  }
  const { subsystem, options, namespaces } = drive;
  return [
    ...["-device", [controller, subsystem && `subsys=${subsystem}`, options].filter(Boolean).join(",")],
    ...namespaces.flatMap((namespace) => {
      const name = `nvme${index}-${namespace.id}`;
      const device = [`nvme-ns,drive=${name},bus=controller${index},nsid=${namespace.id}`, namespace.options];
      return ["-drive", imageOption(name, images), "-device", device.filter(Boolean).join(",")];
    }),
  ];
}

function imageOption(name: string, images: string): string {
  return `if=none,id=${name},file=${images}/${name},format=raw,cache=unsafe,discard=unmap`;
}

function subsystemsOf({ nvme }: Machine): readonly string[] {
  const names = nvme.flatMap((drive) => ("subsystem" in drive ? (drive.subsystem ?? []) : []));
  return [...new Set(names)];
}

function share(tag: string, directory: string, options: string): readonly string[] {
  return [
    ...["-fsdev", `local,id=${tag},path=${directory},multidevs=remap,${options}`],
    ...["-device", `virtio-9p-pci,fsdev=${tag},mount_tag=${tag}`],
  ];
}
