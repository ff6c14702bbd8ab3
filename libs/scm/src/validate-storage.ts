import { isAbsolute, normalize } from "node:path";
import { faultInvalidParameter } from "./faults.ts";
import { namespaceUuid } from "./pmem-devices.ts";
import type { ScmStorage } from "./scm-types.ts";

/**
 * Refuses storage that must not be formatted. The helper applies it to requests of ordinary users, so paths are strict:
 * absolute, no `..`, no blanks or commas, which could change mount options.
 *
 * @throws Fault scmFormatInvalidParameter
 */
export function validateStorage(storage: ScmStorage): void {
  const { mount } = storage;
  const attempted = `use SCM of class ${storage.class} at "${mount}"`;
  if (!isAbsolute(mount) || normalize(mount) !== mount || mount.endsWith("/") || !SAFE_PATH.test(mount)) {
    throw faultInvalidParameter(
      attempted,
      "the mount point is not a plain absolute path",
      'set scm_mount to a directory such as "/mnt/daos"',
    );
  }
  if (SYSTEM_DIRECTORIES.has(mount)) {
    throw faultInvalidParameter(
      attempted,
      "the directory belongs to the system",
      `set scm_mount to a directory of its own, such as "${mount}/daos"`,
    );
  }
  switch (storage.class) {
    case "ram":
      if (!Number.isInteger(storage.sizeGiB) || storage.sizeGiB < 1) {
        throw faultInvalidParameter(
          attempted,
          `a size of ${storage.sizeGiB} GiB`,
          "set scm_size to a whole number of GiB, at least 1",
        );
      }
      return;
    case "dcpm":
      if (namespaceUuid(storage.device) !== undefined) return;
      if (!DEVICE.test(storage.device) || storage.device.includes("..")) {
        throw faultInvalidParameter(
          attempted,
          `"${storage.device}" is not the path of a block device`,
          'set scm_list to one device such as ["/dev/pmem0"], or to the uuid of a namespace as in ["uuid:UUID"]',
        );
      }
  }
}

/** A format empties or unmounts `scm_mount`. These directories are shared with other programs and must never be used. */
const SYSTEM_DIRECTORIES: ReadonlySet<string> = new Set(
  "bin boot dev dev/shm etc home lib lib64 media mnt opt proc root run sbin srv sys tmp usr usr/local var var/lib var/run var/tmp"
    .split(" ")
    .map((name) => `/${name}`),
);

const SAFE_PATH = /^\/[\w.@+:/-]+$/;
const DEVICE = /^\/dev\/[\w./:@+-]+$/;
