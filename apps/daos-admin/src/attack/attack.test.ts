import { once } from "node:events";
import { chmod, chown, link, readdir, readFile, readlink, rm } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { ScmForwarder } from "@daos/scm";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { trustedDirectory } from "../testing/trusted-directory.ts";
import {
  argumentAttacks,
  descriptorAttacks,
  environmentAttacks,
  limitAttacks,
  processAttacks,
  request,
  requestAttacks,
  signalAttacks,
  softLimitAttacks,
} from "./attacks.ts";
import { type Attack, AttackSandbox } from "./sandbox.ts";

const place = process.getuid?.() === 0 ? await trustedDirectory() : undefined;
const MINUTES = 60_000;
/** As in helper.ts. */
const LOCKS = "/run/daos_admin_locks";

// Only root can install a setuid program. The test then attacks it as the user `nobody`.
describe.skipIf(place === undefined)("the installed helper", () => {
  let sandbox: AttackSandbox;
  beforeAll(async () => {
    sandbox = await AttackSandbox.open(place ?? "");
  }, 5 * MINUTES);
  afterAll(() => sandbox[Symbol.asyncDispose]());
  // A failed test may leave its recorded mounts.
  beforeEach(() => void sandbox.takeMounts());

  /** Runs attacks. Fails with the list of attacks that ended unexpectedly or left damage. */
  async function withstand(attacks: readonly Attack[]) {
    const results = await sandbox.attack(attacks);
    const unexpected = attacks.flatMap(({ name, expect: wanted }, index) => {
      const result = results[index];
      return wanted === "either" || result?.outcome === wanted ? [] : [`${name}: ${JSON.stringify(result)}`];
    });
    expect(unexpected).toEqual([]);
    expect(await sandbox.damage()).toEqual([]);
    return results;
  }

  it("daos-admin answers an honest caller", async () => {
    const [status] = await withstand([{ name: "status", bytes: request("Status"), expect: "answered" }]);
    expect(status?.result).toMatchObject({ caller: { uid: sandbox.uid, gid: sandbox.uid } });
  });

  it("daos-admin mounts the storage of an honest caller, and makes the caller its owner", async () => {
    const mount = join(sandbox.layout.prefix, "mnt");
    const payload = { storage: { class: "ram", mount, sizeGiB: 1 }, reformat: false };
    const [format] = await sandbox.attack([
      { name: "format", bytes: request("ScmFormat", payload), expect: "answered" },
    ]);
    expect(format).toMatchObject({ outcome: "answered", result: {} });
    expect(sandbox.takeMounts()).toEqual([
      expect.stringMatching(new RegExp(`^${mount} tmpfs tmpfs .*size=1048576k,mode=700,uid=65534,gid=65534`)),
    ]);
    expect(await sandbox.damage()).toEqual([]);
    expect(await readFile(sandbox.layout.logFile, "utf8")).toContain('"method":"ScmFormat","reformat":false');
  });

  it("daos-admin withstands hostile environments", { timeout: 5 * MINUTES }, async () => {
    await withstand(environmentAttacks(sandbox.ground, sandbox.preload));
  });

  it("daos-admin withstands signals, timers and sessions", { timeout: 5 * MINUTES }, async () => {
    await withstand(signalAttacks());
  });

  it("daos-admin withstands resource limits", { timeout: 5 * MINUTES }, async () => {
    await withstand([...limitAttacks(), ...softLimitAttacks()]);
  });

  it("daos-admin withstands closed, redirected and additional descriptors", {
    timeout: 2 * MINUTES,
  }, async () => {
    await withstand(descriptorAttacks(sandbox.ground));
  });

  it("daos-admin withstands hostile arguments", { timeout: 2 * MINUTES }, async () => {
    await withstand(argumentAttacks(sandbox.ground));
  });

  it("daos-admin withstands hostile processes", { timeout: 2 * MINUTES }, async () => {
    await withstand(processAttacks(sandbox.layout.launcher, sandbox.ground));
  });

  it("daos-admin withstands hostile requests", { timeout: 5 * MINUTES }, async () => {
    await withstand(requestAttacks(sandbox.layout.prefix, sandbox.ground));
  });

  it("daos-admin audits a caller that it refuses", { timeout: MINUTES }, async () => {
    const perl = { program: "/usr/bin/perl", args: ["-e", `system("${sandbox.layout.launcher}")`] };
    const before = await readFile(sandbox.layout.logFile, "utf8");
    await withstand([{ name: "perl", ...perl, bytes: request("Status"), expect: "refused" }]);
    const added = (await readFile(sandbox.layout.logFile, "utf8")).slice(before.length).trim().split("\n");
    expect(added.map((line): unknown => JSON.parse(line))).toEqual([
      {
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        level: "WARN",
        component: "daos_admin",
        message: "refused",
        caller_uid: sandbox.uid,
        caller_gid: sandbox.uid,
        caller_pid: expect.any(Number),
        reason: expect.stringContaining("does not run an executable that may call the helper"),
      },
    ]);
  });

  it("daos-admin withstands copies, links and other names of its launcher", {
    timeout: 2 * MINUTES,
  }, async () => {
    const { launcher, prefix } = sandbox.layout;
    const [copy, soft] = ["copy", "soft"].map((name) => join(sandbox.ground, name)) as [string, string];
    const make = `fs.rmSync("${soft}", { force: true });
      fs.copyFileSync("${launcher}", "${copy}"); fs.chmodSync("${copy}", 0o6755);
      fs.symlinkSync("${launcher}", "${soft}"); process.stdout.write("made");`;
    expect(await sandbox.asAttacker(["-e", make], "")).toBe("made");
    // Root may make links that the attacker may not (fs.protected_hardlinks).
    const hard = join(prefix, "hard");
    await link(launcher, hard);
    const status = request("Status");
    const results = await sandbox
      .attack([
        { name: "a copy", program: copy, bytes: status, expect: "refused" },
        { name: "a link", program: soft, bytes: status, expect: "answered" },
        { name: "a second name", program: hard, bytes: status, expect: "answered" },
      ])
      .finally(() => rm(hard));
    expect(results.map(({ outcome }) => outcome)).toEqual(["refused", "answered", "answered"]);
    expect(await sandbox.damage()).toEqual([]);
  });

  it("daos-admin lets the group of its launcher's file call, unless that group is root", {
    timeout: MINUTES,
  }, async () => {
    const { launcher } = sandbox.layout;
    const withGroup = async (group: number) => {
      await chown(launcher, 0, group);
      // Everyone may execute it, so that the launcher itself has to refuse.
      await chmod(launcher, 0o4755);
    };
    try {
      for (const group of [0, sandbox.gid + 1]) {
        await withGroup(group);
        const [result] = await sandbox.attack([
          { name: "status", bytes: request("Status"), expect: "refused" },
        ]);
        expect(result?.outcome).toBe("refused");
        expect(result?.error).toContain(`not a member of the group of the helper (${group})`);
      }
    } finally {
      await chown(launcher, 0, sandbox.gid);
      await chmod(launcher, 0o4750);
    }
    await withstand([{ name: "status", bytes: request("Status"), expect: "answered" }]);
  });

  it("daos-admin withstands links that change while it resolves a path", {
    timeout: 3 * MINUTES,
  }, async () => {
    const mount = join(sandbox.ground, "mnt");
    const swapper = sandbox.spawnAsAttacker([sandbox.tool("swap-links.mjs"), mount, "/etc"]);
    const [begun] = (await once(swapper.stdout, "data")) as [Buffer];
    expect(begun.toString()).toBe("swapping\n");
    const swapped = text(swapper.stdout);
    const storage = { class: "ram", mount, sizeGiB: 1 };
    const attacks = ["ScmFormat", "ScmMount", "ScmUnmount"].flatMap((method) =>
      Array.from({ length: 12 }, (_, index): Attack => {
        const payload = method === "ScmFormat" ? { storage, reformat: true } : { storage };
        return { name: `${method} ${index}`, bytes: request(method, payload), expect: "refused" };
      }),
    );
    const results = await sandbox.attack(attacks);
    swapper.stdin.end();
    expect(Number(await swapped)).toBeGreaterThan(100);
    expect(results.filter(({ outcome }) => outcome !== "refused")).toEqual([]);
    expect(await sandbox.damage()).toEqual([]);
  });

  it("daos-admin handles one of several concurrent requests for a mount point at a time", {
    timeout: 3 * MINUTES,
  }, async () => {
    const mount = join(sandbox.layout.prefix, "mnt");
    const storage = { class: "ram", mount, sizeGiB: 1 };
    const formats = Array.from({ length: 8 }, (_, index): Attack => {
      const payload = { storage, reformat: true };
      return { name: `format ${index}`, bytes: request("ScmFormat", payload), expect: "answered" };
    });
    const results = await sandbox.attack(formats);
    expect(results.filter(({ outcome }) => outcome !== "answered")).toEqual([]);
    // Each request unmounts what the one before it mounted. Two concurrent requests would mount twice.
    expect(sandbox.takeMounts()).toHaveLength(1);
    expect(await sandbox.damage()).toEqual([]);
  });

  it("daos-admin keeps its lock files closed to the attacker", { timeout: MINUTES }, async () => {
    const names = await readdir(LOCKS);
    expect(names.length).toBeGreaterThan(0);
    const paths = [LOCKS, ...names.map((name) => join(LOCKS, name))];
    const attempt = `const codes = ${JSON.stringify(paths)}.map((path) => {
        try { fs.closeSync(fs.openSync(path, "r")); return "open"; } catch (error) { return error.code; }
      });
      process.stdout.write(JSON.stringify(codes));`;
    const codes = JSON.parse(await sandbox.asAttacker(["-e", attempt], "")) as readonly string[];
    expect(codes).toEqual(paths.map(() => "EACCES"));
  });

  it("daos-admin withstands attacks on its process while it runs", { timeout: 2 * MINUTES }, async () => {
    // The attacker runs before the helper starts. The helper waits ten seconds for a request.
    const attacker = sandbox.spawnAsAttacker([sandbox.tool("attack-process.mjs")]);
    await once(attacker.stdout, "data");
    const holder = sandbox.spawnAsAttacker([sandbox.tool("hold.mjs"), sandbox.layout.launcher]);
    const [line] = (await once(holder.stdout, "data")) as [Buffer];
    const pid = Number(line.toString());
    // The launcher has executed Node.js when the script is among its arguments.
    await vi.waitFor(
      async () => expect(await readFile(`/proc/${pid}/cmdline`, "utf8")).toContain("helper.mjs"),
      { timeout: 60_000 },
    );
    const status = await readFile(`/proc/${pid}/status`, "utf8");
    expect(status).toMatch(/^Uid:\t0\t0\t0\t0$/m);
    expect(status).toMatch(/^Gid:\t0\t0\t0\t0$/m);
    expect(status).toMatch(/^Groups:\t *$/m);
    expect(status).toMatch(/^NoNewPrivs:\t1$/m);
    expect(status).toMatch(/^Seccomp:\t2$/m);
    // SYS_ADMIN, SYS_PTRACE, SYS_RAWIO, SYS_MODULE, FOWNER, DAC_OVERRIDE, CHOWN, or fewer.
    const bounding = BigInt(`0x${/^CapBnd:\t([0-9a-f]+)$/m.exec(status)?.[1] ?? "f"}`);
    expect(bounding & ~0x2b000bn & ~(1n << 16n)).toBe(0n);
    expect(
      (await readFile(`/proc/${pid}/environ`, "utf8")).split("\0").filter((word) => word !== ""),
    ).toEqual(["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"]);
    expect(await readlink(`/proc/${pid}/cwd`)).toBe("/");
    // At start, the loader opens libraries and Node.js reads its options. Only its audit and these stay open while it waits.
    const kept = /^(?:pipe:|socket:|anon_inode:|\/dev\/null|\/var\/lib\/.*helper\.mjs)/;
    await vi.waitFor(
      async () =>
        expect((await openFiles(pid)).filter((target) => !kept.test(target))).toEqual([
          expect.stringMatching(/\/var\/log\/daos_admin\.log$/),
        ]),
      { timeout: 20_000 },
    );
    attacker.stdin.end(String(pid));
    const attempts = JSON.parse(await text(attacker.stdout)) as object;
    expect(Object.keys(attempts)).not.toEqual([]);
    expect(Object.keys(attempts).filter((key) => !/: (?:EACCES|EPERM|ENOENT)$/.test(key))).toEqual([]);
    // An inspector would listen on TCP. Listeners of other processes on this machine do not count.
    const inodes = await tcpInodes();
    expect((await openFiles(pid)).filter((target) => inodes.has(target))).toEqual([]);
    // The process was running during all attempts.
    expect(await readFile(`/proc/${pid}/cmdline`, "utf8")).toContain("helper.mjs");
    holder.stdin.end();
    await once(holder, "close");
    expect(await sandbox.damage()).toEqual([]);
  });

  it("daos-admin withstands unauthorized clients of its socket", { timeout: 4 * MINUTES }, async () => {
    const listener = await sandbox.listen();
    const outsider = sandbox.spawnAsAttacker(["-e", connectScript(sandbox.socket)], { inGroup: false });
    expect(await text(outsider.stdout)).toBe("EACCES");

    const status = request("Status");
    const relay = (operation: string): Attack => {
      const program = sandbox.attacker;
      return {
        name: operation,
        program,
        prepare: [`${operation}=${sandbox.socket}`],
        bytes: status,
        expect: "refused",
      };
    };
    await withstand([relay("relay"), relay("relay-orphan")]);

    const flood = sandbox.spawnAsAttacker([sandbox.tool("flood.mjs"), sandbox.socket, "18"]);
    await once(flood.stdout, "data");
    // Root is queued like every other caller, behind the connections that never send a request.
    const scan = await new ScmForwarder({ helper: { kind: "socket", path: sandbox.socket } }).scan();
    expect(scan.notes.length).toBeGreaterThanOrEqual(0);
    flood.stdin.end();

    listener.kill();
    await once(listener, "close");
    expect(await sandbox.damage()).toEqual([]);
  });
});

/** The targets of a process's open descriptors. */
async function openFiles(pid: number): Promise<readonly string[]> {
  const names = await readdir(`/proc/${pid}/fd`);
  const targets = await Promise.all(
    names.map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => undefined)),
  );
  return targets.filter((target) => target !== undefined);
}

/** The TCP sockets of this machine, as targets of open descriptors. */
async function tcpInodes(): Promise<ReadonlySet<string>> {
  const tables = [
    await readFile("/proc/net/tcp", "utf8"),
    // Absent without IPv6.
    await readFile("/proc/net/tcp6", "utf8").catch(() => ""),
  ];
  return new Set(
    tables.flatMap((table) => table.split("\n")).map((line) => `socket:[${line.trim().split(/ +/)[9]}]`),
  );
}

/** Prints the error code of a connection. */
function connectScript(path: string): string {
  return `require("node:net").connect(${JSON.stringify(path)}).on("error", (e) => process.stdout.write(e.code))
    .on("connect", () => { process.stdout.write("connected"); process.exit(); })`;
}
