// npm run test:hardware: provides the Debian packages and the build, then runs the checks in a virtual machine.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const PACKAGES = {
  "qemu-system-x86": "/usr/bin/qemu-system-x86_64",
  "xz-utils": "/usr/bin/xz",
  ndctl: "/usr/bin/ndctl",
  ipmctl: "/usr/bin/ipmctl",
  "nvme-cli": "/usr/sbin/nvme",
  "libfabric-bin": "/usr/bin/fi_info",
  dosfstools: "/sbin/mkfs.vfat",
  e2fsprogs: "/sbin/mkfs.ext4",
  lvm2: "/sbin/lvm",
  gcc: "/usr/bin/gcc",
  "libc6-dev": "/usr/include/stdio.h",
};

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const missing = Object.entries(PACKAGES)
  .filter(([, path]) => !existsSync(path))
  .map(([name]) => name);
if (missing.length > 0) {
  const install = ["install", "-y", "--no-install-recommends", ...missing];
  if (process.getuid?.() !== 0) {
    process.stderr.write(
      `test:hardware needs packages that are missing:\n  sudo apt-get ${install.join(" ")}\n`,
    );
    process.exit(1);
  }
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  execFileSync("apt-get", ["update", "-qq"], { stdio: "inherit", env });
  execFileSync("apt-get", install, { stdio: "inherit", env });
}

const env = { ...process.env, PATH: `${join(root, "node_modules/.bin")}:${process.env.PATH}` };
/**
 * Runs a program; when it fails, so does this one.
 *
 * @param {string} command
 * @param {string[]} args
 */
const run = (command, args) => {
  const { status, error } = spawnSync(command, args, { stdio: "inherit", cwd: root, env });
  if (error !== undefined) throw error;
  if (status !== 0) process.exit(status ?? 1);
};
run("nx", ["run-many", "-t", "compile,native,build", "--outputStyle=static"]);
run("node", [join(root, "tools/hardware/dist/host.js"), ...process.argv.slice(2)]);
