import { basename } from "node:path";
import type { SysTree } from "@daos/sys";
import { USER_DRIVERS } from "./pci-drivers.ts";

const PCI_DEVICES = "/sys/bus/pci/devices";
const BLOCK = "/sys/class/block";
/** The first domain number that the kernel's VMD driver gives. PCI Express itself has no such domains. */
const FIRST_VMD_DOMAIN = 0x10000;

/**
 * Why no engine can use a controller, as a clause such as `nvme0n1 is zoned (host-managed)`; undefined for one that an engine
 * can use.
 *
 * @param names its block devices
 */
export async function whyUnusable(
  sys: SysTree,
  address: string,
  names: readonly string[],
): Promise<string | undefined> {
  const device = `${PCI_DEVICES}/${address}`;
  if (Number.parseInt(address.split(":")[0] ?? "", 16) >= FIRST_VMD_DOMAIN) {
    // /sys/devices/pci0000:5d/0000:5d:05.5/pci10000:00/10000:00:02.0/10000:01:00.0
    const vmd = /([^/]+)\/pci[0-9a-f]{5,}:/.exec((await sys.resolve(device)) ?? "")?.[1];
    return `it is behind the VMD controller ${vmd ?? "of this machine"}, which DAOS 0.8.0 does not support`;
  }
  const functions = Number((await sys.read(`${device}/sriov_numvfs`)) ?? 0);
  if (functions > 0)
    return `${functions} virtual functions of it are enabled (sriov_numvfs), so it cannot be given to user space`;
  for (const name of names) {
    const zoned = (await sys.read(`${BLOCK}/${name}/queue/zoned`)) ?? "none";
    if (zoned !== "none") return `${name} is zoned (${zoned}), which SPDK's blobstore cannot use`;
    if ((await sys.read(`${BLOCK}/${name}/size`)) === "0")
      return `${name} has no size: its blocks are extended by metadata, which neither the kernel nor SPDK's blobstore can use`;
  }
  const [controller] = await sys.list(`${device}/nvme`);
  const state = controller && (await sys.read(`${device}/nvme/${controller}/state`));
  if (names.length > 0 || state === undefined) return undefined;
  return state === "live"
    ? "it has no namespaces"
    : `the kernel does not have it ready (its state is ${state})`;
}

/** Why a namespace cannot be written, `nvme0n1 is read-only`; undefined when the kernel knows no reason. */
export async function whyReadOnly(sys: SysTree, names: readonly string[]): Promise<string | undefined> {
  for (const name of names) {
    if ((await sys.read(`${BLOCK}/${name}/ro`)) === "1") return `${name} is read-only`;
  }
  return undefined;
}

/** Why a controller is used only when it is named: a virtual function is usually made for a virtual machine. */
export async function whyNotOffered(sys: SysTree, address: string): Promise<string | undefined> {
  const physical = await sys.resolve(`${PCI_DEVICES}/${address}/physfn`);
  return physical === undefined ? undefined : `it is a virtual function of ${basename(physical)}`;
}

/**
 * Why a controller is left with the driver that it has, or without one: an administrator has decided so. Undefined for one
 * that `nvme` or a user-space driver has, and for one without driver and without a decision.
 */
export async function whyParked(sys: SysTree, address: string): Promise<string | undefined> {
  const device = `${PCI_DEVICES}/${address}`;
  const path = await sys.resolve(`${device}/driver`);
  if (path !== undefined) {
    const driver = basename(path);
    return driver === "nvme" || USER_DRIVERS.includes(driver) ? undefined : `${driver} has it`;
  }
  const override = (await sys.read(`${device}/driver_override`)) ?? "(null)";
  if (override === "" || override === "(null)" || override === "nvme" || USER_DRIVERS.includes(override))
    return undefined;
  return `it has no driver, and its driver_override is ${override}`;
}
