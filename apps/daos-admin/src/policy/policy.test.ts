import { FaultCode } from "@daos/fault";
import { describe, expect, it } from "vitest";
import { groupId, resolveOwner } from "./accounts.ts";
import {
  authorizeControllers,
  authorizeHugepages,
  authorizeOwner,
  authorizeScmPrepare,
  authorizeStorage,
} from "./authorize.ts";
import { derivePolicy } from "./derive-policy.ts";
import { parsePolicy } from "./parse-policy.ts";
import { emptyPolicy } from "./policy.ts";
import { policySysTree } from "./policy-sys-tree.ts";
import { renderPolicy } from "./render-policy.ts";

const accounts = {
  passwd: "root:x:0:0:root:/root:/bin/sh\ndaos_server:x:991:992::/:/usr/sbin/nologin\n",
  group: "root:x:0:\ndaos_admins:x:993:daos_server\n",
};

const TEXT = `
mounts:
  - path: /mnt/daos0
    max_size_gib: 16
  - path: /mnt/daos1
    devices: [/dev/pmem0, /dev/pmem1]
pci_addresses: ["81:00.0"]
hugepages: 4096
owners: [daos_server, "1001:1002"]
log_file: /var/log/daos/helper.log
`;
const policy = parsePolicy(TEXT, "/etc/daos/daos_admin.yml", accounts);

describe("parsePolicy", () => {
  it("parsePolicy() reads every setting", () => {
    expect(policy).toEqual({
      source: "/etc/daos/daos_admin.yml",
      mounts: [
        { path: "/mnt/daos0", maxSizeGiB: 16, devices: [] },
        { path: "/mnt/daos1", maxSizeGiB: 0, devices: ["/dev/pmem0", "/dev/pmem1"] },
      ],
      pciAddresses: ["0000:81:00.0"],
      hugepages: 4096,
      scmPrepare: false,
      owners: [
        { uid: 991, gid: 992 },
        { uid: 1001, gid: 1002 },
      ],
      logFile: "/var/log/daos/helper.log",
    });
  });

  it("parsePolicy() allows nothing when the file is empty", () => {
    expect(parsePolicy("", "x", accounts)).toEqual(emptyPolicy("x"));
    expect(parsePolicy("# nothing\n", "x", accounts)).toEqual(emptyPolicy("x"));
  });

  it("parsePolicy() takes the uuid of a namespace for a device", () => {
    const device = "uuid:55bedf6f-a14a-429c-b65a-b764e01892cf";
    const { mounts } = parsePolicy(`mounts: [{ path: /mnt/a, devices: ["${device}"] }]`, "x", accounts);
    expect(mounts).toEqual([{ path: "/mnt/a", maxSizeGiB: 0, devices: [device] }]);
  });

  it("parsePolicy() reads what renderPolicy() writes as the same policy", () => {
    const again = parsePolicy(renderPolicy(policy), policy.source, accounts);
    expect(again).toEqual(policy);
  });

  it.each([
    ["no YAML", "mounts: [", "Flow sequence"],
    ["a text", "all", "expected object"],
    ["a mistyped key", "mount: []", "mount"],
    ["a mistyped key of a rule", "mounts: [{ path: /mnt/a, size: 3 }]", "size"],
    ["a mount point that is relative", "mounts: [{ path: mnt }]", "absolute path"],
    ["a mount point with ..", "mounts: [{ path: /mnt/../etc, flags: 1 }]", "flags"],
    ["half a uuid", 'mounts: [{ path: /mnt/a, devices: ["uuid:55bedf6f"] }]', "uuid of a namespace"],
    ["a path that is no device", "mounts: [{ path: /mnt/a, devices: [/etc/shadow] }]", "/dev/"],
    ["text that is no address", 'pci_addresses: ["nvme0"]', "nvme0"],
    ["an owner that does not exist", "owners: [nobody-here]", "nobody-here"],
    ["a size that is no number", "mounts: [{ path: /mnt/a, max_size_gib: big }]", "max_size_gib"],
    ["a great many aliases", `a: &a [x]\nb: [${"*a, ".repeat(200)}]`, "alias"],
  ])("parsePolicy() refuses %s", (_name, text, expected) => {
    expect(() => parsePolicy(text, "p.yml", accounts)).toThrowError(
      expect.objectContaining({
        code: FaultCode.helperPolicyInvalid,
        message: expect.stringContaining(expected),
      }),
    );
  });
});

describe("derivePolicy", () => {
  it("derivePolicy() allows what a server's configuration declares", () => {
    const text = `
name: daos_server
user_name: daos_server
nr_hugepages: 2048
helper_log_file: /var/log/daos/helper.log
bdev_include: ["0000:83:00.0"]
servers:
- scm_mount: /mnt/daos/1
  scm_class: ram
  scm_size: 4
  bdev_class: nvme
  bdev_list: ["0000:81:00.0"]
- scm_mount: /mnt/daos/2
  scm_class: dcpm
  scm_list: [/dev/pmem0]
  bdev_class: file
  bdev_list: [/tmp/daos-bdev]
`;
    expect(derivePolicy(text, "/etc/daos/daos_server.yml", accounts)).toEqual({
      source: "/etc/daos/daos_server.yml",
      mounts: [
        { path: "/mnt/daos/1", maxSizeGiB: 4, devices: [] },
        { path: "/mnt/daos/2", maxSizeGiB: 0, devices: ["/dev/pmem0"] },
      ],
      pciAddresses: ["0000:83:00.0", "0000:81:00.0"],
      hugepages: 2048,
      scmPrepare: false,
      owners: [{ uid: 991, gid: 992 }],
      logFile: "/var/log/daos/helper.log",
    });
  });
});

describe("accounts", () => {
  it.each([
    ["daos_server", { uid: 991, gid: 992 }],
    ["daos_server:daos_admins", { uid: 991, gid: 993 }],
    ["1001:1001", { uid: 1001, gid: 1001 }],
    ["1001", undefined],
    ["nobody-here", undefined],
    ["daos_server:nope", undefined],
    ["1:2:3", undefined],
    ["4294967295:0", undefined],
    ["", undefined],
  ])("resolveOwner() resolves %j", (text, owner) => {
    expect(resolveOwner(text, accounts)).toEqual(owner);
  });

  it("groupId() resolves group names", () => {
    expect(groupId("daos_admins", accounts)).toBe(993);
    expect(groupId("daos", accounts)).toBeUndefined();
  });
});

describe("authorize", () => {
  const caller = { uid: 500, gid: 501, pid: 1 };
  const refused = expect.objectContaining({ code: FaultCode.helperRefused });

  it.each([
    [{ class: "ram", mount: "/mnt/daos0", sizeGiB: 16 }],
    [{ class: "dcpm", mount: "/mnt/daos1", device: "/dev/pmem1" }],
  ] as const)("authorize allows %j", (storage) => {
    expect(() => authorizeStorage(policy, storage)).not.toThrow();
  });

  it.each([
    ["another mount point", { class: "ram", mount: "/mnt/daos2", sizeGiB: 1 }],
    ["a directory below", { class: "ram", mount: "/mnt/daos0/x", sizeGiB: 1 }],
    ["a spelling that means the same", { class: "ram", mount: "/mnt//daos0", sizeGiB: 1 }],
    ["a larger size", { class: "ram", mount: "/mnt/daos0", sizeGiB: 17 }],
    ["a tmpfs where a device belongs", { class: "ram", mount: "/mnt/daos1", sizeGiB: 1 }],
    ["a device where a tmpfs belongs", { class: "dcpm", mount: "/mnt/daos0", device: "/dev/pmem0" }],
    ["another device", { class: "dcpm", mount: "/mnt/daos1", device: "/dev/sda" }],
  ] as const)("authorize refuses %s", (_name, storage) => {
    expect(() => authorizeStorage(policy, storage)).toThrowError(refused);
  });

  it("authorize gives storage to the caller, or to a user that the policy allows", () => {
    expect(authorizeOwner(policy, caller, undefined)).toEqual({ uid: 500, gid: 501 });
    expect(authorizeOwner(policy, caller, { uid: 991, gid: 992 })).toEqual({ uid: 991, gid: 992 });
    for (const wanted of [
      { uid: 0, gid: 0 },
      { uid: 500, gid: 0 },
      { uid: 991, gid: 0 },
    ]) {
      expect(() => authorizeOwner(policy, caller, wanted)).toThrowError(refused);
    }
  });

  it("authorize recognizes controllers in every spelling", () => {
    expect(authorizeControllers(policy, ["0000:81:00.0", "81:00.0"])).toEqual([
      "0000:81:00.0",
      "0000:81:00.0",
    ]);
    expect(() => authorizeControllers(policy, ["81:00.0", "82:00.0"])).toThrowError(refused);
  });

  it("authorize limits hugepages, and allows namespaces only when the policy does", () => {
    expect(() => authorizeHugepages(policy, 4096)).not.toThrow();
    expect(() => authorizeHugepages(policy, 4097)).toThrowError(refused);
    expect(() => authorizeScmPrepare(policy, "x")).toThrowError(refused);
    expect(() => authorizeScmPrepare({ ...policy, scmPrepare: true }, "x")).not.toThrow();
  });
});

describe("policySysTree", () => {
  const written: string[] = [];
  const tree = policySysTree(
    {
      read: () => Promise.resolve(undefined),
      resolve: () => Promise.resolve(undefined),
      list: () => Promise.resolve(["0000:00:1f.0", "0000:81:00.0", "0000:82:00.0"]),
      write: (path, value) => {
        written.push(`${path}=${value}`);
        return Promise.resolve();
      },
    },
    policy,
  );

  it("policySysTree() shows the controllers of the policy only", async () => {
    expect(await tree.list("/sys/bus/pci/devices")).toEqual(["0000:81:00.0"]);
    expect(await tree.list("/sys/kernel/iommu_groups")).toHaveLength(3);
  });

  it.each([
    ["/sys/bus/pci/devices/0000:81:00.0/driver_override", "vfio-pci"],
    ["/sys/bus/pci/devices/0000:81:00.0/driver_override", "\n"],
    ["/sys/bus/pci/devices/0000:81:00.0/driver/unbind", "0000:81:00.0"],
    ["/sys/bus/pci/drivers_probe", "0000:81:00.0"],
    ["/sys/devices/system/node/node1/hugepages/hugepages-2048kB/nr_hugepages", "4096"],
    ["/proc/sys/vm/compact_memory", "1"],
  ])("policySysTree() writes %s %j", async (path, value) => {
    await tree.write(path, value);
    expect(written.at(-1)).toBe(`${path}=${value}`);
  });

  it.each([
    ["/sys/bus/pci/devices/0000:82:00.0/driver_override", "vfio-pci"],
    ["/sys/bus/pci/devices/0000:81:00.0/driver_override", "evil"],
    ["/sys/bus/pci/devices/0000:81:00.0/driver/unbind", "0000:82:00.0"],
    ["/sys/bus/pci/devices/../../../0000:81:00.0/driver_override", "vfio-pci"],
    ["/sys/bus/pci/drivers_probe", "0000:82:00.0"],
    ["/sys/bus/pci/devices/0000:81:00.0/remove", "1"],
    ["/sys/devices/system/node/node1/hugepages/hugepages-2048kB/nr_hugepages", "4097"],
    ["/sys/devices/system/node/node1/hugepages/hugepages-2048kB/nr_hugepages", "-1"],
    ["/sys/devices/system/node/../../../hugepages/hugepages-2048kB/nr_hugepages", "1"],
    ["/proc/sys/kernel/core_pattern", "|/tmp/x"],
    ["/proc/sys/vm/compact_memory", "2"],
    ["/etc/passwd", ""],
  ])("policySysTree() does not write %s %j", async (path, value) => {
    const before = written.length;
    await expect(tree.write(path, value)).rejects.toMatchObject({ code: FaultCode.helperRefused });
    expect(written).toHaveLength(before);
  });
});
