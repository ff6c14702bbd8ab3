import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FaultCode } from "@daos/fault";
import { silentLogger } from "@daos/log";
import { FakeSysTree } from "@daos/sys/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fileRecords } from "./namespace-records.ts";
import { RememberingScm } from "./remembering-scm.ts";
import type { ScmOperations } from "./scm-operations.ts";
import type { ScmFormatState, ScmStorage } from "./scm-types.ts";

const A = "55bedf6f-a14a-429c-b65a-b764e01892cf";
const B = "169fafeb-9136-4262-a230-2961beb4abb1";
const storage = { class: "dcpm", mount: "/mnt/daos", device: "/dev/pmem0" } as const;

let directory = "";
let path = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "daos-records-"));
  path = join(directory, "namespaces.json");
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** The server of one boot, on which the namespaces have these names. */
function boot(names: Readonly<Record<string, string>>, state: ScmFormatState = { kind: "mountable" }) {
  const sys = new FakeSysTree();
  for (const [name, uuid] of Object.entries(names))
    sys.files({ [`/sys/class/block/${name}/device/uuid`]: `${uuid}\n` });
  const calls: string[] = [];
  const called = (verb: string, used: ScmStorage) => {
    calls.push(`${verb} ${used.class === "dcpm" ? used.device : "tmpfs"}`);
    return Promise.resolve();
  };
  const refuse = () => Promise.reject(new Error("not expected"));
  const scm: ScmOperations = {
    checkFormat: async (used) => {
      await called("check", used);
      return state;
    },
    format: (used) => called("format", used),
    mount: (used) => called("mount", used),
    unmount: (used) => called("unmount", used),
    scan: refuse,
    prepare: refuse,
    reset: refuse,
  };
  return { scm: new RememberingScm(scm, { records: fileRecords(path), log: silentLogger, sys }), calls };
}

describe("RememberingScm", () => {
  it("follows a namespace whose name is another one after a reboot", async () => {
    await boot({ pmem0: A }).scm.format(storage, { reformat: false });
    const { scm, calls } = boot({ pmem0: B, pmem1: A });
    await scm.checkFormat(storage);
    await scm.mount(storage);
    await scm.format(storage, { reformat: true });
    await scm.unmount(storage);
    expect(calls).toEqual([
      "check /dev/pmem1",
      "mount /dev/pmem1",
      "format /dev/pmem1",
      "unmount /dev/pmem1",
    ]);
    const third = boot({ "pmem0.8": A, pmem0: B });
    await third.scm.mount(storage);
    expect(third.calls).toEqual(["mount /dev/pmem0.8"]);
  });

  it("records storage that it finds mounted, as after a start of the server only", async () => {
    await boot({ pmem0: A }, { kind: "mounted" }).scm.checkFormat(storage);
    const { scm, calls } = boot({ pmem3: A });
    await scm.checkFormat(storage);
    expect(calls).toEqual(["check /dev/pmem3"]);
  });

  it("uses no other namespace without consent when the formatted one is missing", async () => {
    await boot({ pmem0: A }).scm.mount(storage);
    const { scm, calls } = boot({ pmem0: B });
    for (const attempt of [
      () => scm.checkFormat(storage),
      () => scm.mount(storage),
      () => scm.format(storage, { reformat: false }),
    ]) {
      await expect(attempt()).rejects.toMatchObject({
        code: FaultCode.scmNamespaceMissing,
        description: expect.stringContaining(`it was formatted on namespace ${A}, which is not there`),
        reason: `/dev/pmem0 is namespace ${B} now`,
      });
    }
    // It looks what is there, and changes nothing.
    expect(calls.splice(0)).toEqual(["check /dev/pmem0", "check /dev/pmem0", "check /dev/pmem0"]);
    await scm.format(storage, { reformat: true });
    await scm.checkFormat(storage);
    expect(calls).toEqual(["format /dev/pmem0", "check /dev/pmem0"]);
  });

  it("uses an empty namespace in place of the formatted one, as after a reset and a prepare", async () => {
    await boot({ pmem0: A }).scm.mount(storage);
    const { scm, calls } = boot({ pmem0: B }, { kind: "unformatted" });
    expect(await scm.checkFormat(storage)).toEqual({ kind: "unformatted" });
    await scm.format(storage, { reformat: false });
    expect(calls.at(-1)).toBe("format /dev/pmem0");
    const later = boot({ pmem1: B });
    await later.scm.mount(storage);
    expect(later.calls).toEqual(["mount /dev/pmem1"]);
  });

  it("does what the configuration says when it names another device than before", async () => {
    await boot({ pmem0: A }).scm.mount(storage);
    const { scm, calls } = boot({ pmem0: B, pmem1: A });
    await scm.mount({ ...storage, device: "/dev/pmem0" });
    await scm.mount({ ...storage, device: `uuid:${B}` });
    await scm.mount({ ...storage, device: "/dev/pmem9" });
    await scm.mount({ class: "ram", mount: storage.mount, sizeGiB: 1 });
    expect(calls).toEqual(["mount /dev/pmem1", `mount uuid:${B}`, "mount /dev/pmem9", "mount tmpfs"]);
  });

  it("uses the name when there is no record, or only a damaged one", async () => {
    for (const text of [undefined, "", "{", "[]", '{"/mnt/daos": {"device": 7}}']) {
      if (text !== undefined) await writeFile(path, text);
      const { scm, calls } = boot({ pmem0: B });
      await scm.checkFormat(storage);
      expect(calls).toEqual(["check /dev/pmem0"]);
    }
  });
});

describe("fileRecords()", () => {
  it("keeps the records of engines that start at the same time", async () => {
    const records = fileRecords(path);
    await Promise.all(
      [0, 1, 2].map((at) => records.write(`/mnt/daos${at}`, { device: `/dev/pmem${at}`, uuid: A })),
    );
    expect(Object.keys(JSON.parse(await readFile(path, "utf8")) as object).sort()).toEqual([
      "/mnt/daos0",
      "/mnt/daos1",
      "/mnt/daos2",
    ]);
  });
});
