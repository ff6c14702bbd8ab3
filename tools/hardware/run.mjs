// npm run test:hardware: provides the Debian packages and the build, then runs the checks in a virtual machine.
import { ensureDebianPackages } from "../workspace/prepare.mjs";

ensureDebianPackages({
  "qemu-system-x86_64": "qemu-system-x86",
  xz: "xz-utils",
  ndctl: "ndctl",
  ipmctl: "ipmctl",
  nvme: "nvme-cli",
  fi_info: "libfabric-bin",
  "mkfs.vfat": "dosfstools",
  "mkfs.ext4": "e2fsprogs",
  lvm: "lvm2",
  cryptsetup: "cryptsetup-bin",
  mdadm: "mdadm",
});
process.argv.splice(2, 0, "hardware/dist/host.js");
await import("../workspace/run-tool.mjs");
