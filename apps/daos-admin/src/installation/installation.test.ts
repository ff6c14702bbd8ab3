import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { FaultCode } from "@daos/fault";
import { ProcessCommandRunner } from "@daos/sys";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { trustedDirectory } from "../testing/trusted-directory.ts";
import { renderConfigHeader } from "./build-native.ts";
import { doctor, examine } from "./doctor.ts";
import { type InstallOptions, install } from "./install.ts";
import { layoutOf } from "./layout.ts";
import { renderUnits } from "./systemd-units.ts";
import { uninstall } from "./uninstall.ts";

const place = process.getuid?.() === 0 ? await trustedDirectory() : undefined;

describe("layoutOf", () => {
  it.each([
    ["/usr", "/etc/daos/daos_admin.yml", "/var/log/daos_admin.log"],
    ["/usr/local", "/etc/daos/daos_admin.yml", "/var/log/daos_admin.log"],
    ["/opt/daos", "/opt/daos/etc/daos/daos_admin.yml", "/opt/daos/var/log/daos_admin.log"],
  ])("layoutOf() places the policy of %s at %s", (prefix, policy, logFile) => {
    expect(layoutOf(prefix)).toMatchObject({ policy, logFile, launcher: `${prefix}/bin/daos_admin` });
  });
});

describe("renderConfigHeader", () => {
  const config = {
    node: "/opt/daos/node",
    script: "/opt/daos/helper.mjs",
    policy: "/etc/daos/daos_admin.yml",
    logFile: "/var/log/daos_admin.log",
    callers: ["/usr/bin/node", "/opt/daos/node"],
  };

  it("renderConfigHeader() renders every setting as a literal", () => {
    expect(renderConfigHeader(config)).toBe(`#define NODE "/opt/daos/node"
#define SCRIPT "/opt/daos/helper.mjs"
#define POLICY "/etc/daos/daos_admin.yml"
#define LOG_FILE "/var/log/daos_admin.log"
#define CALLERS "/usr/bin/node", "/opt/daos/node", 
`);
  });

  it.each(['/opt/"; system("id"); "', "/opt/a\nb", "relative", "/opt/a b", "/opt/a\\"])(
    "renderConfigHeader() refuses %j",
    (node) => {
      expect(() => renderConfigHeader({ ...config, node })).toThrow("no installation path may have");
    },
  );
});

describe("renderUnits", () => {
  const { "daos_admin.service": service = "", "daos_admin.socket": socket = "" } = renderUnits(
    layoutOf("/usr"),
    "g",
  );

  it("renderUnits() lets the group connect", () => {
    expect(socket).toContain("ListenStream=/run/daos_admin/daos_admin.sock\nSocketMode=0660\n");
    expect(socket).toContain("SocketGroup=g\n");
  });

  it("renderUnits() has no directive that would hide the helper's mounts from other processes", () => {
    expect(service).not.toMatch(
      /^(?:Protect|Private|ReadOnly|ReadWrite|Inaccessible|BindPaths|MountFlags|RootDirectory)/m,
    );
  });
});

describe("a missing installation", () => {
  it("doctor() reports a missing installation with a remedy", async () => {
    const lines: string[] = [];
    const say = (line: string) => void lines.push(line);
    expect(await doctor({ prefix: "/nowhere", json: false, say })).toBe(1);
    expect(lines.join("\n")).toContain("daos-admin install --create-group");
    expect(await doctor({ prefix: "/nowhere", json: true, say })).toBe(1);
    expect(JSON.parse(lines.at(-1) ?? "")).toMatchObject([{ what: "installation", state: "problem" }]);
  });
});

// Only root can install a setuid program. A loaded machine needs half a minute to compile and to copy Node.js.
describe.skipIf(place === undefined)("install", { timeout: 300_000 }, () => {
  let prefix = "";
  const options = (): InstallOptions => ({
    prefix,
    shapes: ["setuid", "socket"],
    group: "64322",
    createGroup: false,
    callers: [],
    serverConfig: join(prefix, "server.yml"),
    runner: new ProcessCommandRunner(),
    say: () => {},
  });

  beforeAll(async () => {
    prefix = await mkdtemp(join(place ?? "", ".daos-install-"));
    await chmod(prefix, 0o755);
    await writeFile(
      join(prefix, "server.yml"),
      `servers: [{ scm_mount: ${prefix}/mnt, scm_class: ram, scm_size: 1, bdev_class: file }]\n`,
    );
    await install(options());
  }, 300_000);
  afterAll(() => rm(prefix, { recursive: true, force: true }));

  const problems = async () =>
    (await examine(prefix))
      .filter(({ state }) => state === "problem")
      .map(({ what, text }) => `${what}: ${text}`);

  it("install() makes an installation in which doctor finds no problem", async () => {
    expect(await problems()).toEqual([]);
    const { launcher, policy } = layoutOf(prefix);
    expect(await stat(launcher)).toMatchObject({ uid: 0, gid: 64322, mode: 0o104750 });
    expect(await readFile(policy, "utf8")).toContain(`path: ${prefix}/mnt\n    max_size_gib: 1\n`);
    expect(await readdir(layoutOf(prefix).directory)).not.toContainEqual(
      expect.stringMatching(/^\.build|\.new$/),
    );
  });

  const { launcher, policy, helper, node, logFile } = layoutOf("");
  it.each<[string, string, (path: string) => Promise<unknown>, (path: string) => Promise<unknown>]>([
    ["without the setuid bit", launcher, (path) => chmod(path, 0o750), (path) => chmod(path, 0o4750)],
    ["for everyone", launcher, (path) => chmod(path, 0o4755), (path) => chmod(path, 0o4750)],
    ["of another user", helper, (path) => chown(path, 1, 1), (path) => chown(path, 0, 0)],
    ["with a Node that others may change", node, (path) => chmod(path, 0o757), (path) => chmod(path, 0o755)],
    [
      "with a policy that others may change",
      policy,
      (path) => chmod(path, 0o664),
      (path) => chmod(path, 0o644),
    ],
    [
      "with a broken policy",
      policy,
      (path) => writeFile(path, "mounts: {}\n"),
      () => writeFile(join(prefix, policy), `mounts: [{ path: ${prefix}/mnt, max_size_gib: 1 }]\n`),
    ],
    [
      "with a directory as its log",
      logFile,
      (path) => rm(path, { force: true }).then(() => mkdir(path)),
      (path) => rm(path, { recursive: true }),
    ],
  ])("doctor() examines an installation %s", async (_name, file, breakIt, repair) => {
    const path = join(prefix, file);
    await breakIt(path);
    try {
      expect((await problems()).length).toBeGreaterThan(0);
    } finally {
      await repair(path);
    }
    expect(await problems()).toEqual([]);
  });

  it("install() keeps the policy when it is repeated", async () => {
    const path = join(prefix, policy);
    await writeFile(path, `# mine\nmounts: [{ path: ${prefix}/mnt, max_size_gib: 1 }]\n`);
    await install(options());
    expect(await readFile(path, "utf8")).toContain("# mine");
    expect(await problems()).toEqual([]);
  });

  it.each<[string, Partial<InstallOptions>, object]>([
    ["an unknown group", { group: "no-such-group" }, { code: FaultCode.helperInstallFailed }],
    ["a caller that is not there", { callers: ["/no/node"] }, { code: FaultCode.helperInstallFailed }],
    [
      "a prefix below one that others may change",
      { prefix: "/tmp/daos" },
      { code: FaultCode.helperUntrustedPath },
    ],
    ["a relative prefix", { prefix: "opt" }, { code: FaultCode.helperUntrustedPath }],
  ])("install() refuses %s", async (_name, some, expected) => {
    await expect(install({ ...options(), ...some })).rejects.toMatchObject(expected);
  });

  it("install() refuses a caller executable that other users may change", async () => {
    const caller = join(prefix, "caller");
    await writeFile(caller, "");
    await chmod(caller, 0o777);
    const refused = install({ ...options(), callers: [caller] }).finally(() => rm(caller));
    await expect(refused).rejects.toMatchObject({ resolution: expect.stringContaining("--any-caller") });
  });

  it("install() refuses a caller executable in another user's directory, and does not advise chown", async () => {
    const directory = join(prefix, "home");
    await mkdir(directory);
    await chown(directory, 1000, 1000);
    const caller = join(directory, "node");
    await writeFile(caller, "", { mode: 0o755 });
    const refused = install({ ...options(), callers: [caller] });
    await expect(refused).rejects.toMatchObject({ code: FaultCode.helperInstallFailed });
    await expect(refused).rejects.toMatchObject({ resolution: expect.stringContaining("--any-caller") });
    await expect(refused).rejects.not.toMatchObject({ resolution: expect.stringContaining("chown") });
    await rm(directory, { recursive: true });
  });

  it("doctor() advises --any-caller, not chown, when another user owns the caller's directory", async () => {
    const directory = join(prefix, "checkout");
    await mkdir(directory);
    const caller = join(directory, "node");
    await writeFile(caller, "", { mode: 0o755 });
    await install({ ...options(), callers: [caller] });
    for (const spoil of [() => chown(directory, 1000, 1000), () => chmod(directory, 0o777)]) {
      await spoil();
      const [finding, ...others] = (await examine(prefix)).filter(({ state }) => state === "problem");
      expect(others).toEqual([]);
      expect(finding).toMatchObject({ what: `caller ${caller}` });
      expect(finding?.remedy).toContain("--any-caller");
      expect(finding?.remedy).not.toContain("chown");
      await chown(directory, 0, 0);
    }
    // As in /tmp: other users may create files, but cannot replace root's.
    await chmod(directory, 0o1777);
    expect(await problems()).toEqual([]);
    await install(options());
    await rm(directory, { recursive: true });
  });

  it.each<[string, Partial<InstallOptions>]>([
    ["a configuration that is missing", { serverConfig: "/no/server.yml" }],
    ["a caller that is missing", { callers: ["/no/node"] }],
    [
      "a compiler that fails",
      { runner: { run: () => Promise.reject(Object.assign(new Error("cc"), { code: "ENOENT" })) } },
    ],
  ])("install() changes nothing after %s", async (_name, some) => {
    const fresh = await mkdtemp(join(place ?? "", ".daos-install-"));
    await chmod(fresh, 0o755);
    try {
      const failed = install({ ...options(), prefix: fresh, ...some });
      await expect(failed).rejects.toMatchObject({ code: FaultCode.helperInstallFailed });
      const entries = await readdir(fresh, { recursive: true, withFileTypes: true });
      expect(entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name)).toEqual([]);
    } finally {
      await rm(fresh, { recursive: true });
    }
  });

  it("uninstall() removes everything except the policy and the log", async () => {
    await uninstall({ prefix, purge: false, say: () => {} });
    const files = (await readdir(prefix, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map(({ name }) => name);
    expect(files.sort()).toEqual(["daos_admin.log", "daos_admin.yml", "server.yml"]);
    await expect(uninstall({ prefix, purge: false, say: () => {} })).rejects.toMatchObject({
      code: FaultCode.helperInstallFailed,
    });
  });
});
