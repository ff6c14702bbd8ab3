import { FaultCode } from "@daos/fault";
import { silentLogger } from "@daos/log";
import { FakeCommandRunner, FakeMountTable, FakeSysTree } from "@daos/sys/testing";
import { describe, expect, it } from "vitest";
import { createHandlers } from "../handlers.ts";
import { type HelperMethod, type HelperPayload, helperMethods } from "../methods.ts";
import { permissions } from "./permissions.ts";
import { emptyPolicy, type Policy } from "./policy.ts";

const ram = { class: "ram", mount: "/mnt/daos", sizeGiB: 1 } as const;
const dcpm = { class: "dcpm", mount: "/mnt/daos", device: "/dev/pmem0" } as const;
const NVME = "0000:81:00.0";
const NODE = "/sys/devices/system/node/node0";
const PAGES = `${NODE}/hugepages/hugepages-2048kB/nr_hugepages`;

/** Methods that change nothing, and need no policy. */
const READ_ONLY: readonly HelperMethod[] = ["Status", "ScmScan", "BdevScan"];

/** Payloads of each method. A missing method is a compile error. */
const payloads: { readonly [M in HelperMethod]: readonly HelperPayload<M>[] } = {
  Status: [{}],
  ScmScan: [{}],
  ScmCheckFormat: [{ storage: ram }, { storage: dcpm }],
  ScmFormat: [
    { storage: ram, reformat: false },
    { storage: dcpm, reformat: true, owner: { uid: 7, gid: 7 } },
  ],
  ScmMount: [{ storage: ram }, { storage: dcpm }],
  ScmUnmount: [{ storage: ram }, { storage: dcpm }],
  ScmPrepare: [{}],
  ScmReset: [{}],
  BdevScan: [{}],
  BdevCheckFormat: [{ devices: [NVME] }],
  BdevFormat: [{ devices: [NVME] }],
  BdevBurnIn: [{ devices: [NVME], durationMs: 1 }],
  BdevPrepare: [{ hugepages: 0 }, { hugepages: 1 }, { hugepages: 0, include: [NVME] }],
  BdevReset: [{}],
};
const cases = (Object.keys(payloads) as HelperMethod[]).flatMap((method) =>
  payloads[method].map((payload) => ({ method, payload })),
);

/**
 * A machine with a user-space-driven controller and hugepages, on which every request would succeed but for the policy.
 */
function helperWith(policy: Policy) {
  const runner = new FakeCommandRunner().on("ipmctl", "").on("ndctl", "[]").on("nvme", "");
  const mounts = new FakeMountTable({ privileged: true })
    .mounted("/mnt/daos", "tmpfs", "tmpfs")
    .mounted("/dev/hugepages", "hugetlbfs", "hugetlbfs");
  const sys = new FakeSysTree().files({ [`/sys/bus/pci/devices/${NVME}/class`]: "0x010802", [PAGES]: "512" });
  const handlers = createHandlers({
    release: "1",
    caller: { uid: 1234, gid: 1235, pid: 77 },
    policy,
    log: silentLogger,
    ports: {
      runner,
      mounts,
      sys,
      trust: { uid: process.getuid?.() ?? 0 },
      locks: { take: () => Promise.resolve({ [Symbol.asyncDispose]: () => Promise.resolve() }) },
    },
  });
  const ask = (method: HelperMethod, payload: unknown) =>
    (handlers[method] as (payload: unknown, context: object) => Promise<unknown>)(payload, {
      signal: new AbortController().signal,
      progress: () => {},
    });
  return { ask, runner, mounts, sys };
}

describe("permissions", () => {
  it("permissions has an entry for every method and for nothing else", () => {
    expect(Object.keys(permissions).sort()).toEqual(Object.keys(helperMethods).sort());
  });

  it.each(cases.filter(({ method }) => !READ_ONLY.includes(method)))(
    "permissions refuses $method $payload before any change when the policy is empty",
    async ({ method, payload }) => {
      const { ask, runner, mounts, sys } = helperWith(emptyPolicy("/etc/daos/daos_admin.yml"));
      await expect(ask(method, payload)).rejects.toMatchObject({ code: FaultCode.helperRefused });
      expect(runner.ran).toEqual([]);
      expect(mounts.entries).toHaveLength(2);
      expect(sys.writes).toEqual([]);
    },
  );

  it.each(cases.filter(({ method }) => READ_ONLY.includes(method)))(
    "permissions lets any caller use $method, which changes nothing",
    async ({ method, payload }) => {
      const { ask, runner, mounts, sys } = helperWith(emptyPolicy("/etc/daos/daos_admin.yml"));
      await ask(method, payload);
      expect(
        runner.ran.filter((line) => !/^(?:ipmctl show|ndctl list|nvme (?:id|smart|list))/.test(line)),
      ).toEqual([]);
      expect(mounts.entries).toHaveLength(2);
      expect(sys.writes).toEqual([]);
    },
  );

  it.each([undefined, true])("permissions.BdevFormat() keeps the consent %s of the caller", (reformat) => {
    const policy = { ...emptyPolicy("p"), pciAddresses: [NVME] };
    const payload = { devices: [NVME], reformat };
    expect(
      permissions.BdevFormat(payload, { policy, caller: { uid: 1, gid: 1, pid: 1 }, trust: {} }),
    ).toEqual(payload);
  });

  it("permissions keeps the hugepages when the policy names controllers only", async () => {
    const policy = { ...emptyPolicy("p"), pciAddresses: [NVME] };
    const { ask, sys } = helperWith(policy);
    for (const [method, payload] of [
      ["BdevPrepare", { hugepages: 0 }],
      ["BdevReset", {}],
    ] as const) {
      await expect(ask(method, payload)).rejects.toMatchObject({ code: FaultCode.helperRefused });
    }
    expect(sys.writes).toEqual([]);
  });
});
