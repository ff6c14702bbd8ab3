import { readFile, statfs } from "node:fs/promises";
import { basename } from "node:path";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { bdevFileSize, type NvmeController, parsePciAddress } from "@daos/bdev";
import { toFault } from "@daos/fault";
import type { EngineInstance } from "@daos/instance";
import type { ctl } from "@daos/proto";
import { abortable } from "@daos/sys";
import type { CtlServiceOptions } from "./ctl-service-options.ts";
import { faultBdevSize, faultScmNotMounted } from "./faults.ts";
import { stateFault, stateSuccess } from "./response-state.ts";

type Engine = MessageInitShape<typeof ctl.StorageUsageResp_EngineSchema>;
type EngineStorage = Pick<EngineInstance, "index" | "config" | "superblock">;

const GIB = 1n << 30n;
const SECTOR = 512n;

/**
 * The size and use of each engine's storage, in bytes. For SCM these are the figures of its file system, at most
 * `scm_size`: an ordinary user's SCM may be a plain directory. For NVMe the size is the sum of the configured devices;
 * only the engine knows how much of them is used, and it has no call for that. A part that fails does not hide the
 * others.
 */
export async function storageUsage(
  { harness, bdev }: Pick<CtlServiceOptions, "harness" | "bdev">,
  options: { readonly signal: AbortSignal },
): Promise<MessageInitShape<typeof ctl.StorageUsageRespSchema>> {
  let scanned: Promise<readonly NvmeController[]> | undefined;
  const scan = () => {
    scanned ??= bdev.scan(options);
    return scanned;
  };
  return {
    engines: await Promise.all(harness.instances.map((instance) => usageOf(instance, scan, options))),
  };
}

async function usageOf(
  { index, config, superblock }: EngineStorage,
  scan: () => Promise<readonly NvmeController[]>,
  { signal }: { readonly signal: AbortSignal },
): Promise<Engine> {
  const { scm } = config;
  const scmPart = async () => {
    if (superblock === undefined) throw faultScmNotMounted(index, scm.mount);
    // A mount whose device hangs is waited for no longer than the caller waits.
    const { blocks, bavail, bsize } = await abortable(statfs(scm.mount, { bigint: true }), signal);
    const most = scm.class === "ram" ? BigInt(scm.sizeGiB) * GIB : blocks * bsize;
    const scmTotal = smaller(blocks * bsize, most);
    return { scmTotal, scmAvailable: smaller(bavail * bsize, scmTotal), scmState: stateSuccess() };
  };
  const nvmePart = async () => ({ nvmeTotal: await bdevBytes(config, scan), nvmeState: stateSuccess() });
  const [scmUsage, nvmeUsage] = await Promise.all([
    scmPart().catch((error: unknown) => ({ scmState: stateFault(toFault(error)) })),
    nvmePart().catch((error: unknown) => ({ nvmeState: stateFault(toFault(error)) })),
  ]);
  return { index, rank: superblock?.rank, mount: scm.mount, ...scmUsage, ...nvmeUsage };
}

/** @throws Fault when the size of a device is not known */
async function bdevBytes(
  { bdev: { class: kind, list, number, sizeGB } }: EngineStorage["config"],
  scan: () => Promise<readonly NvmeController[]>,
): Promise<bigint> {
  if (kind === "malloc") return BigInt(number) * bdevFileSize(sizeGB);
  if (kind === "file") return BigInt(list.length) * bdevFileSize(sizeGB);
  if (list.length === 0) return 0n;
  const controllers = kind === "nvme" ? await scan() : [];
  const sizes = await Promise.all(
    list.map(async (device) =>
      kind === "nvme" ? controllerBytes(device, controllers) : blockDeviceBytes(device),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0n);
}

function controllerBytes(device: string, controllers: readonly NvmeController[]): bigint {
  const address = parsePciAddress(device) ?? device;
  const found = controllers.find(({ pciAddress }) => pciAddress === address);
  if (found === undefined || found.namespaces.length === 0) throw faultBdevSize(device);
  return found.namespaces.reduce((sum, { size }) => sum + size, 0n);
}

async function blockDeviceBytes(device: string): Promise<bigint> {
  try {
    return BigInt((await readFile(`/sys/class/block/${basename(device)}/size`, "utf8")).trim()) * SECTOR;
  } catch (error) {
    throw faultBdevSize(device, error);
  }
}

function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
