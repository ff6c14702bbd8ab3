import { execFile, spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { mkdir, mkdtemp, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { exists } from "@daos/sys";
import { type ArchiveEntry, newcArchive } from "./newc-archive.ts";

const execute = promisify(execFile);

/** Debian's current kernel package has this name. The shell needs no libraries. */
const KERNEL = "linux-image-amd64";
const SHELL = "busybox-static";
/** The modules that the shares need. All other modules are read from a share. */
const BOOT_MODULES = /\/(virtio_pci|9pnet_virtio|9p|overlay)\.ko[.a-z]*:/;

/** Debian's kernel and busybox, unpacked. */
export interface GuestSystem {
  readonly kernel: string;
  readonly busybox: string;
  /** The module directory, named after the kernel release. */
  readonly modules: string;
}

/**
 * Unpacks kernel and busybox below `cache`, once. The packages come from apt's configured Debian mirror. Nothing is
 * installed.
 */
export async function guestSystem(cache: string): Promise<GuestSystem> {
  const directory = join(cache, KERNEL);
  if (!(await exists(join(directory, "kernel")))) await fetchSystem(cache, directory);
  const [release] = await readdir(join(directory, "lib/modules"));
  if (release === undefined) throw new Error(`there are no modules in ${directory}: remove it`);
  return {
    kernel: join(directory, "kernel"),
    busybox: join(directory, "busybox"),
    modules: join(directory, "lib/modules", release),
  };
}

/** An initramfs with busybox, the first stage, and the modules for the shares. */
export async function initramfs(system: GuestSystem, init: string): Promise<Buffer> {
  const release = basename(system.modules);
  const index = await readFile(join(system.modules, "modules.dep"), "utf8");
  // Each line is "MODULE: MODULE...", a module and its dependencies.
  const modules = new Set(
    index
      .split("\n")
      .filter((line) => BOOT_MODULES.test(line))
      .flatMap((line) => line.split(/[:\s]+/).filter(Boolean)),
  );
  const files: ArchiveEntry[] = [
    { path: "init", mode: 0o100755, content: Buffer.from(init) },
    { path: "bin/busybox", mode: 0o100755, content: await readFile(system.busybox) },
  ];
  for (const path of ["modules.dep", ...modules]) {
    const content = await readFile(join(system.modules, path));
    files.push({ path: `lib/modules/${release}/${path}`, mode: 0o100644, content });
  }
  const directories = new Set(["proc", "sys", "dev", "root"]);
  for (const { path } of files) {
    const parts = path.split("/").slice(0, -1);
    for (const [at] of parts.entries()) directories.add(parts.slice(0, at + 1).join("/"));
  }
  const tree = [...directories].map((path): ArchiveEntry => ({ path, mode: 0o40755 }));
  return newcArchive([...tree, ...files]);
}

async function fetchSystem(cache: string, directory: string): Promise<void> {
  await mkdir(cache, { recursive: true });
  const cwd = await mkdtemp(join(cache, "new-"));
  try {
    const { stdout } = await execute("apt-cache", ["depends", KERNEL]);
    const image = /Depends: (linux-image-\S+)/.exec(stdout)?.[1] ?? KERNEL;
    await execute("apt-get", ["-qq", "-o", "APT::Sandbox::User=root", "download", image, SHELL], { cwd });
    for (const name of await readdir(cwd))
      if (name.endsWith(".deb")) await execute("dpkg-deb", ["-x", name, "."], { cwd });
    await rename(join(cwd, "bin/busybox"), join(cwd, "busybox"));
    const [wrapped] = (await readdir(join(cwd, "boot"))).filter((name) => name.startsWith("vmlinuz-"));
    await unwrapKernel(join(cwd, "boot", wrapped ?? "vmlinuz"), join(cwd, "kernel"));
    const [release = ""] = await readdir(join(cwd, "lib/modules"));
    await execute(join(cwd, "busybox"), ["depmod", "-b", cwd, release], { cwd });
    for (const name of ["boot", "bin", "usr"]) await rm(join(cwd, name), { recursive: true, force: true });
    await execute("chmod", ["755", cwd]);
    // Another run may have made it first.
    await rename(cwd, directory).catch(async (error: unknown) => {
      if (!(await exists(join(directory, "kernel")))) throw error;
    });
  } finally {
    await rm(cwd, { recursive: true, force: true });
  }
}

/**
 * Extracts the kernel from its self-extracting wrapper. QEMU boots it directly, which saves a third of the boot time
 * under emulation.
 *
 * @see Linux Documentation/arch/x86/boot.rst (setup_sects, payload_offset, payload_length)
 */
async function unwrapKernel(from: string, to: string): Promise<void> {
  const image = await readFile(from);
  const start = ((image[0x1f1] ?? 0) + 1) * 512 + image.readUInt32LE(0x248);
  // The last four bytes are the unpacked size, not part of the xz stream.
  const payload = image.subarray(start, start + image.readUInt32LE(0x24c) - 4);
  const xz = spawn("xz", ["-dc"], { stdio: ["pipe", "pipe", "inherit"] });
  xz.stdin.end(payload);
  await pipeline(xz.stdout, createWriteStream(to));
  const header = Buffer.alloc(4);
  const file = await open(to, "r");
  await file.read(header, 0, 4, 0);
  await file.close();
  if (header.toString("latin1") !== "\x7fELF") throw new Error(`${from} is not compressed with xz`);
}
