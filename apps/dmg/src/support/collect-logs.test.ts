import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Code, ConnectError } from "@connectrpc/connect";
import { type FakeCalls, FakeServer } from "@daos/control-client/testing";
import { FaultCode } from "@daos/fault";
import { formatHostAddress } from "@daos/hostlist";
import { packSupport } from "@daos/support";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { at, runDmg } from "../testing/run-dmg.ts";

let directory = "";
const open: FakeServer[] = [];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "daos-dmg-support-"));
});
afterEach(async () => {
  for (const server of open.splice(0)) await server[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

async function fake(calls: FakeCalls["ctl"]): Promise<FakeServer> {
  const server = await FakeServer.start({ ctl: calls ?? {} });
  open.push(server);
  return server;
}

/** A server that sends an archive with one file, and reports another as missing. */
const collects = (text: string): FakeCalls["ctl"] => ({
  async *supportCollect() {
    const items = [
      { name: "log", read: async () => text },
      { name: "none", read: () => Promise.reject(new Error("there is none")) },
    ];
    const { signal } = new AbortController();
    for await (const event of packSupport(items, { directory: "host", signal })) {
      if (event.kind === "chunk")
        yield { event: { case: "chunk", value: new Uint8Array(event.bytes) } } as const;
      else if (event.kind === "done")
        yield {
          event: { case: "result", value: { missing: event.missing.map((one) => ({ ...one })) } },
        } as const;
    }
  },
});

const tar = (...args: string[]) => execFileSync("tar", args, { cwd: directory, encoding: "utf8" });

describe("support collect-log", () => {
  it("dmg support collect-log combines the archives of all hosts, also without a leader and when a host fails", async () => {
    const good = await fake(collects("all is well\n"));
    const old = await fake({
      supportCollect: () => {
        throw new ConnectError("as before", Code.Unimplemented);
      },
    });
    const broken = await fake({
      async *supportCollect() {
        yield { event: { case: "chunk", value: new Uint8Array(10) } };
      },
    });
    const output = join(directory, "all.tar.gz");
    const hosts = [good, old, broken].map(({ host }) => host);
    const run = await runDmg([...at(...hosts), "--json", "support", "collect-log", "--output", output]);
    const { result, errors } = run.json() as unknown as {
      result: { hosts: { host: string; missing: object[] }[]; missing: { item: string }[]; bytes: number };
      errors: { hosts: string[]; code: number }[];
    };
    expect(run.status).not.toBe(0);
    expect(result.hosts).toMatchObject([
      { host: formatHostAddress(good.host), missing: [{ item: "none", reason: "there is none" }] },
    ]);
    expect(errors.map(({ code }) => code).toSorted()).toEqual([
      FaultCode.connectionLost,
      FaultCode.requestUnsupported,
    ]);
    const found = await stat(output);
    expect(found).toMatchObject({ size: result.bytes });
    expect(found.mode & 0o777).toBe(0o600);
    expect(await readdir(directory)).toEqual(["all.tar.gz"]);
    const inside = "daos-support-daos_server";
    const name = `${inside}/hosts/${formatHostAddress(good.host).replaceAll(":", "_")}.tar.gz`;
    tar("-xzf", "all.tar.gz");
    expect(tar("-xzOf", name, "host/log")).toBe("all is well\n");
    const missing = tar("-xzOf", "all.tar.gz", `${inside}/missing.txt`);
    for (const { host } of [old, broken]) expect(missing).toContain(`hosts/${formatHostAddress(host)}: `);
    // The fakes do not know the leader.
    for (const item of ["members.json", "events.json", "leader.json"]) expect(missing).toContain(`${item}: `);
  }, 60_000);

  it("dmg support collect-log does not replace a file, and leaves no temporary files", async () => {
    const good = await fake(collects("all is well\n"));
    await writeFile(join(directory, "mine"), "precious");
    const run = await runDmg([
      ...at(good.host),
      "support",
      "collect-log",
      "--output",
      join(directory, "mine"),
    ]);
    expect(run.status).not.toBe(0);
    expect(run.err).toContain("cannot write the archive");
    expect(await readdir(directory)).toEqual(["mine"]);
  }, 60_000);

  it.each([
    ["", 2, 'to --output "": the name is empty'],
    ["-", 2, 'to --output "-": an archive is a file that only its owner can read'],
    ["DIR/new/", 2, "it is a directory"],
    ["DIR", 1, "it is a directory"],
    ["DIR/mine", 1, "there is such a file, and it is not replaced"],
    ["DIR/link", 1, "there is such a file, and it is not replaced"],
    ["DIR/a/b", 1, "/a does not exist"],
    ["DIR/mine/b", 1, "/mine is not a directory"],
  ])("dmg support collect-log refuses the name %j before it asks a host", async (name, status, reason) => {
    // It has no calls: it would fail the test.
    const { host } = await fake({});
    await writeFile(join(directory, "mine"), "precious");
    await symlink("none", join(directory, "link"));
    const output = name.replace("DIR", directory);
    const run = await runDmg([...at(host), "support", "collect-log", "--output", output]);
    expect(run).toMatchObject({ status, out: "" });
    expect(run.err).toContain(reason);
    expect(run.err).not.toMatch(/EEXIST|ENOENT|ENOTDIR/);
    expect((await readdir(directory)).toSorted()).toEqual(["link", "mine"]);
  });

  it("dmg support collect-log writes no archive when no host sends one", async () => {
    const { host } = await fake({});
    for (const server of open.splice(0)) await server[Symbol.asyncDispose]();
    const output = join(directory, "all.tar.gz");
    const run = await runDmg([...at(host), "support", "collect-log", "--output", output]);
    expect(run).toMatchObject({ status: 4, out: "" });
    expect(run.err).toContain("no archive was written, because no host sent one");
    expect(await readdir(directory)).toEqual([]);
  });

  it.runIf(process.getuid?.() === 0)(
    "dmg support collect-log fails when there is no space for the archives of the hosts",
    async () => {
      const small = join(directory, "small");
      await mkdir(small);
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", small]);
      const { host } = await fake(
        collects(
          randomBytes(1024 * 1024)
            .toString("base64")
            .replaceAll(/.{76}/g, "$&\n"),
        ),
      );
      const output = join(small, "all.tar.gz");
      const run = await runDmg([...at(host), "support", "collect-log", "--output", output]);
      const left = await readdir(small);
      execFileSync("umount", ["-l", small]);
      expect(run).toMatchObject({ status: 1, out: "" });
      expect(run.err).toContain(`cannot write the archive ${output}: there is no space left in ${small}`);
      expect(left).toEqual([]);
    },
  );
});
