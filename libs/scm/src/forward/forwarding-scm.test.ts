import { statusMethods } from "@daos/pbin";
import { socketHelper } from "@daos/pbin/testing";
import { describe, expect, it } from "vitest";
import { ForwardingScm } from "./forwarding-scm.ts";
import { ScmForwarder } from "./scm-forwarder.ts";
import { scmMethods } from "./scm-methods.ts";

const methods = { ...statusMethods, ...scmMethods };
const ram = { class: "ram", mount: "/mnt/daos", sizeGiB: 4 } as const;

describe("ScmForwarder", () => {
  it("brings the result of a scan, with bigints", async () => {
    const module = {
      physicalId: 1,
      socket: 0,
      memoryController: 0,
      channel: 2,
      channelPosition: 1,
      capacity: 502599991296n,
    };
    const scan = { modules: [module], namespaces: [], notes: ["a note"] };
    await using helper = await socketHelper(methods, { ScmScan: () => Promise.resolve(scan) });
    expect(await new ScmForwarder({ helper: helper.location }).scan()).toEqual(scan);
  });

  it("passes payload and result of each operation", async () => {
    const seen: unknown[] = [];
    await using helper = await socketHelper(methods, {
      ScmCheckFormat: (payload) => {
        seen.push(payload);
        return Promise.resolve({ kind: "foreign", fsType: "xfs" });
      },
      ScmFormat: (payload) => {
        seen.push(payload);
        return Promise.resolve({});
      },
    });
    const scm = new ScmForwarder({ helper: helper.location });
    expect(await scm.checkFormat(ram)).toEqual({ kind: "foreign", fsType: "xfs" });
    await scm.format(ram, { reformat: true });
    expect(seen).toEqual([{ storage: ram }, { storage: ram, reformat: true }]);
  });
});

describe("ForwardingScm", () => {
  it("forwards only storage that the helper may touch", async () => {
    const status = {
      release: "x",
      caller: { uid: 1, gid: 1, pid: 1 },
      policy: { source: "p", mounts: ["/mnt/daos"], devices: [], pciAddresses: [] },
    };
    await using helper = await socketHelper(methods, {
      Status: () => Promise.resolve(status),
      ScmCheckFormat: () => Promise.resolve({ kind: "unformatted" }),
    });
    const never = () => Promise.reject(new Error("not directly"));
    const direct = {
      scan: never,
      checkFormat: () => Promise.resolve({ kind: "mounted" } as const),
      format: never,
      mount: never,
      unmount: never,
      prepare: never,
      reset: never,
    };
    const scm = await ForwardingScm.connect(direct, { helper: helper.location });
    expect(await scm.checkFormat(ram)).toEqual({ kind: "unformatted" });
    expect(await scm.checkFormat({ ...ram, mount: "/dev/shm/daos" })).toEqual({ kind: "mounted" });
  });
});
