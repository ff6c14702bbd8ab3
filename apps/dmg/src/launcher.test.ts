import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { lstat, readdir, readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { FakeServer } from "@daos/control-client/testing";
import { formatHostAddress } from "@daos/hostlist";
import { silentLogger } from "@daos/log";
import { createGrpcServer } from "@daos/security";
import { TestAuthority, TestCertificateFiles } from "@daos/security/testing";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

const DMG = fileURLToPath(new URL("../bin/dmg", import.meta.url));
const directory = mkdtempSync(join(tmpdir(), "daos-dmg-"));
let server: FakeServer;
let host = "";

beforeAll(async () => {
  server = await FakeServer.start({
    ctl: { systemMemberQuery: () => ({ members: [] }), storageScan: () => ({}) },
  });
  host = formatHostAddress(server.host);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
});

/** Runs the built program in a process of its own. */
function run(path: string, argv: readonly string[], env: NodeJS.ProcessEnv = {}) {
  return new Promise<{ status: number; out: string; err: string }>((resolve) => {
    const child = execFile(
      path,
      argv,
      { cwd: directory, env: { ...process.env, ...env } },
      (_error, out, err) => resolve({ status: child.exitCode ?? -1, out, err }),
    );
    child.stdin?.end();
  });
}

describe("plugins", { timeout: 300_000 }, () => {
  const SAMPLE = fileURLToPath(new URL("../sample-plugin", import.meta.url));
  const env = { DMG_DATA_DIR: join(directory, "data") };

  // A repeated test starts with an empty directory.
  beforeEach(() => {
    for (const home of ["data", "installed", "none"]) {
      rmSync(join(directory, home), { recursive: true, force: true });
    }
  });

  it("dmg plugins link adds topics and output formats", async () => {
    expect(await run(DMG, ["hosts", "devices"], env)).toMatchObject({ status: 2, out: "" });
    expect(await run(DMG, ["plugins", "link", SAMPLE], env)).toEqual({
      status: 0,
      out: "dmg-plugin-hosts is linked\n",
      err: "",
    });
    expect((await run(DMG, ["plugins", "list"], env)).out).toContain(`dmg-plugin-hosts  linked  ${SAMPLE}`);
    const reach = ["-i", "-l", host];
    expect(await run(DMG, ["hosts", "devices", ...reach], env)).toMatchObject({
      status: 0,
      out: `Host             Devices\n----             -------\n${host}  0\n`,
      err: "",
    });
    expect(await run(DMG, [...reach, "hosts", "devices", "--json"], env)).toMatchObject({
      status: 0,
      out: expect.stringContaining('"command": "hosts devices"'),
    });
    expect((await run(DMG, ["hosts", "devices", "--help"], env)).out).toContain("Count the devices");
    expect((await run(DMG, ["hosts"], env)).out).toContain("hosts devices");
    expect((await run(DMG, ["--help"], env)).out).toContain("hosts");
    expect(await run(DMG, ["hosts", "divices", ...reach], env)).toMatchObject({ status: 2 });
    expect(await run(DMG, [...reach, "storage", "scan", "--format", "csv"], env)).toMatchObject({
      status: 0,
      out: expect.stringMatching(/^host,scm,nvme\n"127/),
    });
    expect(await run(DMG, ["version", "--format", "xml"], env)).toMatchObject({ status: 2, out: "" });
    expect((await run(DMG, ["plugins", "remove", "dmg-plugin-hosts"], env)).out).toContain("is removed");
    expect(await run(DMG, ["hosts", "devices"], env)).toMatchObject({ status: 2 });
  });

  it("dmg plugins install runs the real npm on a tarball and on a directory, without a network", async () => {
    const home = join(directory, "installed");
    const offline = {
      DMG_DATA_DIR: home,
      npm_config_offline: "true",
      npm_config_cache: join(directory, "npm"),
    };
    const packed = await run("npm", ["pack", "--silent", "--pack-destination", directory, SAMPLE], offline);
    expect(packed).toMatchObject({ status: 0, out: "dmg-plugin-hosts-1.0.0.tgz\n" });
    const reach = ["-i", "-l", host];
    for (const source of [`./${packed.out.trim()}`, SAMPLE]) {
      expect(await run(DMG, ["-q", "plugins", "install", source], offline)).toEqual({
        status: 0,
        out: "dmg-plugin-hosts is installed\n",
        err: "",
      });
      const root = join(home, "node_modules", "dmg-plugin-hosts");
      expect((await run(DMG, ["plugins", "list"], offline)).out).toContain("dmg-plugin-hosts  installed");
      expect((await lstat(root)).isSymbolicLink()).toBe(false);
      expect(await run(DMG, ["hosts", "devices", ...reach], offline)).toMatchObject({
        status: 0,
        out: `Host             Devices\n----             -------\n${host}  0\n`,
        err: "",
      });
      const removed = await run(DMG, ["plugins", "remove", "dmg-plugin-hosts"], offline);
      expect(removed).toMatchObject({ status: 0, out: "dmg-plugin-hosts is removed\n" });
      await expect(lstat(root)).rejects.toMatchObject({ code: "ENOENT" });
      expect(await run(DMG, ["hosts", "devices", ...reach], offline)).toMatchObject({ status: 2 });
    }
  });

  it("dmg plugins install removes a package when it is no plugin", async () => {
    const home = join(directory, "none");
    const offline = {
      DMG_DATA_DIR: home,
      npm_config_offline: "true",
      npm_config_cache: join(directory, "npm"),
    };
    const other = join(directory, "other");
    mkdirSync(other, { recursive: true });
    writeFileSync(join(other, "package.json"), '{"name": "no-plugin", "version": "1.0.0"}');
    const install = await run(DMG, ["plugins", "install", other], offline);
    expect(install).toMatchObject({ status: 2, err: expect.stringContaining("is not an oclif plugin") });
    expect((await run(DMG, ["plugins", "list"], offline)).out).toBe("No plugins\n");
    await expect(lstat(join(home, "node_modules", "no-plugin"))).rejects.toMatchObject({ code: "ENOENT" });
    const missing = await run(DMG, ["plugins", "install", "./gone.tgz"], offline);
    expect(missing).toMatchObject({ status: 2, err: expect.stringContaining("there is no package at") });
  });

  it("dmg plugins link refuses a directory that is no plugin", async () => {
    expect(await run(DMG, ["plugins", "link", directory], env)).toMatchObject({ status: 2 });
    expect(await run(DMG, ["plugins", "remove", "nothing"], env)).toMatchObject({ status: 2 });
    expect(await run(DMG, ["plugins", "install", "../x;y"], env)).toMatchObject({ status: 2 });
  });
});

describe("bin/dmg", { timeout: 300_000 }, () => {
  it("bin/dmg starts through symbolic links, with and without the snapshot", async () => {
    const links = [join(directory, "one"), join(directory, "two")] as const;
    for (const path of links) rmSync(path, { force: true });
    symlinkSync(DMG, links[0]);
    symlinkSync("one", links[1]);
    const version = expect.stringMatching(/^dmg version \d/);
    expect(await run(links[1], ["version"])).toEqual({ status: 0, out: version, err: "" });
    for (const env of [{}, { NODE_OPTIONS: "--no-warnings" }]) {
      const query = await run(links[1], ["-i", "-l", host, "system", "member-query"], env);
      expect(query).toEqual({ status: 0, out: "The system has no members\n", err: "" });
    }
  });

  it.each([
    ["version --servers", 8],
    ["-o help system member-query", 3],
  ])("bin/dmg runs %s, which its small bundle cannot", async (line, status) => {
    const reach = ["-i", "-l", host];
    const { err, ...ended } = await run(DMG, [...line.split(" "), ...reach]);
    expect(err).not.toContain("main.cjs only");
    expect(ended.status).toBe(status);
  });

  it("bin/dmg makes its snapshot for the Node.js version of the workspace", async () => {
    const bundle = fileURLToPath(new URL("../dist/bundle", import.meta.url));
    expect(await readdir(bundle)).toContain(`snapshot-${process.version}.blob`);
  });

  it("bin/dmg starts from a snapshot that was taken after a command, without that command's data", async () => {
    const env = { NODE_DEBUG_NATIVE: "CODE_CACHE" };
    const { status, err } = await run(DMG, ["-i", "-l", host, "system", "member-query"], env);
    expect(status).toBe(0);
    expect(err).not.toContain("Compiling net with code cache");
    const snapshot = fileURLToPath(
      new URL(`../dist/bundle/snapshot-${process.version}.blob`, import.meta.url),
    );
    const bytes = await readFile(snapshot);
    expect(bytes.includes("setDeserializeMainFunction")).toBe(true);
    for (const text of ["-----BEGIN CERTIFICATE-----\nMI", "-----BEGIN PRIVATE KEY-----\nMI"])
      expect(bytes.includes(text)).toBe(false);
  });

  it("bin/dmg ends a call at its deadline", async () => {
    const silent = createServer(() => {});
    silent.listen(0, "127.0.0.1");
    await once(silent, "listening");
    const { port } = silent.address() as { port: number };
    const argv = ["-i", "-l", `127.0.0.1:${port}`, "--timeout", "1500ms", "system", "member-query"];
    expect(await run("timeout", ["60", DMG, ...argv])).toMatchObject({
      status: 9,
      err: expect.stringContaining("no answer within the deadline"),
    });
    silent.close();
  });

  it("bin/dmg gives each new pool another UUID", async () => {
    const uuids: string[] = [];
    const members = [{ rank: 0, uuid: "7c3bd1e4-7a37-4fdb-9a7b-2c5f8e6b9d10", addr: "127.0.0.1:10001" }];
    const pools = await FakeServer.start({
      ctl: { systemMemberQuery: () => ({ members }) },
      mgmt: {
        poolCreate: ({ uuid }) => {
          uuids.push(uuid);
          return {};
        },
      },
    });
    const argv = ["-i", "-l", formatHostAddress(pools.host), "pool", "create", "--size", "1G"];
    for (let pool = 0; pool < 2; pool++) expect(await run(DMG, argv)).toMatchObject({ status: 0 });
    await pools[Symbol.asyncDispose]();
    expect(new Set(uuids).size).toBe(2);
  });

  it("bin/dmg returns the command's exit code, with data on stdout and messages on stderr", async () => {
    expect(await run(DMG, ["-i", "-l", "127.0.0.1:1", "sy", "q"])).toMatchObject({ status: 4, out: "" });
    expect(await run(DMG, ["storage", "scna"])).toMatchObject({ status: 2, out: "" });
    expect(await run(DMG, [])).toMatchObject({ status: 2, out: expect.stringContaining("USAGE") });
    expect(await run(DMG, ["--help"])).toMatchObject({ status: 0, err: "" });
    const needsConsent = await run(DMG, ["-i", "-l", host, "storage", "prepare"]);
    expect(needsConsent).toMatchObject({ status: 2, err: expect.stringContaining("add --force") });
  });

  it("bin/dmg reads a configuration file, and reports missing certificates", async () => {
    const missing = await run(DMG, ["-l", host, "sy", "q"]);
    expect(missing).toMatchObject({ status: 5, err: expect.stringContaining("daosCA.crt") });
    expect(await run(DMG, ["-o", "nofile.yml", "sy", "q"])).toMatchObject({ status: 3 });
  });

  it("bin/dmg uses the configuration of -o, else of DMG_CONFIG, else of the home directory, and logs which", async () => {
    const home = join(directory, "home");
    const files = { flag: join(directory, "flag.yml"), home: join(home, ".daos", "daos.yml") };
    mkdirSync(join(home, ".daos"), { recursive: true });
    for (const file of Object.values(files))
      writeFileSync(file, `hostlist: ["${host}"]\ntransport_config: { allow_insecure: true }\n`);
    const env = { HOME: home, XDG_CONFIG_HOME: "" };
    const query = (argv: readonly string[], variable = "") =>
      run(DMG, ["-d", ...argv, "sy", "q"], { ...env, DMG_CONFIG: variable });
    for (const [argv, variable, file, from] of [
      [["-o", files.flag], "/no/such.yml", files.flag, "-o"],
      [[], files.flag, files.flag, "DMG_CONFIG"],
      [[], "", files.home, "search"],
    ] as const) {
      const { status, err } = await query(argv, variable);
      expect(err).toContain(`configuration file=${file} from=${from} `);
      expect(status).toBe(0);
    }
    expect(await query([], "/no/such.yml")).toMatchObject({
      status: 3,
      err: expect.stringContaining("no configuration file /no/such.yml"),
    });
  });

  it("bin/dmg connects with TLS", async () => {
    using files = new TestCertificateFiles();
    const authority = new TestAuthority();
    const transport = files.transport("server", authority.pem, authority.issue("server"));
    const secure = await FakeServer.start(
      { ctl: { systemMemberQuery: () => ({ members: [] }) } },
      async (handler) => (await createGrpcServer({ transport, log: silentLogger, handler })).server,
    );
    const { caCert, cert, key } = files.transport("admin", authority.pem, authority.issue("admin"));
    const config = files.write(
      "daos.yml",
      `transport_config:\n  ca_cert: ${caCert}\n  cert: ${cert}\n  key: ${key}\n`,
    );
    const argv = ["-o", config, "-l", formatHostAddress(secure.host), "system", "member-query"];
    const query = await run(DMG, argv);
    const withoutSnapshot = await run(DMG, argv, { NODE_OPTIONS: "--no-warnings" });
    const stranger = files.transport("stranger", authority.pem, new TestAuthority().issue("admin"));
    const wrong = files.write(
      "wrong.yml",
      `transport_config:\n  ca_cert: ${caCert}\n  cert: ${stranger.cert}\n  key: ${stranger.key}\n`,
    );
    const refused = await run(DMG, ["-o", wrong, ...argv.slice(2)]);
    const plain = await run(DMG, ["-i", ...argv]);
    await secure[Symbol.asyncDispose]();
    expect(query).toEqual({ status: 0, out: "The system has no members\n", err: "" });
    expect(withoutSnapshot).toEqual(query);
    expect(refused).toMatchObject({ status: 5, out: "" });
    expect(plain).toMatchObject({ status: 5, err: expect.stringContaining("leave out -i") });
  });

  it("dmg calls the hosts when its current directory has been removed", async () => {
    const config = join(directory, "insecure.yml");
    writeFileSync(config, "transport_config:\n  allow_insecure: true\n");
    const gone = 'mkdir gone && cd gone && rmdir ../gone && exec "$0" "$@"';
    for (const flags of [["-i"], ["-o", config]]) {
      const argv = [...flags, "-l", host, "system", "member-query"];
      const query = await run("sh", ["-c", gone, DMG, ...argv]);
      expect(query).toMatchObject({ status: 0, out: "The system has no members\n" });
    }
  });

  it("dmg prints one line and fails when its output cannot be written", async () => {
    for (const line of ["version", `-i -l ${host} system member-query`]) {
      const full = await run("sh", ["-c", `"$0" ${line} > /dev/full`, DMG]);
      expect(full).toEqual({
        status: 1,
        out: "",
        err: expect.stringMatching(/^dmg: cannot write the output: ENOSPC: [^\n]*\n$/),
      });
    }
  });

  it("dmg refuses an argument and names its position when it is not UTF-8", async () => {
    const notUtf8 = await run("sh", ["-c", `"$0" system erase --ranks "$(printf '1\\377')"`, DMG]);
    expect(notUtf8).toMatchObject({ status: 2, out: "", err: expect.stringContaining("argument 4, ") });
    expect(notUtf8.err).toContain("is not UTF-8");
  });

  it.each([
    ["SIGINT", [130, null]],
    ["SIGTERM", [null, "SIGTERM"]],
    ["SIGHUP", [null, "SIGHUP"]],
  ] as const)("bin/dmg support collect-log leaves nothing behind on %s", async (signal, end) => {
    const reached = Promise.withResolvers<void>();
    const collecting = await FakeServer.start({
      ctl: {
        async *supportCollect(_request, { signal: gone }) {
          yield { event: { case: "chunk", value: new Uint8Array(1000) } };
          reached.resolve();
          await once(gone, "abort");
        },
      },
    });
    const home = mkdtempSync(join(directory, "collect-"));
    const words = ["-i", "-l", formatHostAddress(collecting.host), "support", "collect-log"];
    const child = spawn(DMG, words, {
      cwd: home,
      stdio: "ignore",
    });
    const exited = once(child, "exit");
    await Promise.race([reached.promise, exited]);
    await expect.poll(async () => (await readdir(home)).length).toBe(1);
    child.kill(signal);

    expect(await exited).toEqual(end);
    expect(await readdir(home)).toEqual([]);
    await collecting[Symbol.asyncDispose]();
  });

  it.each([
    ["Ctrl-C", "\u0003"],
    ["the end of the input", "\u0004"],
    ["no", "no\r"],
  ])("bin/dmg takes %s at a question for no consent", async (_what, keys) => {
    const line = `${DMG} -i -l ${host} pool destroy --pool 7f9bd1d2-0f35-4b0c-9d3f-6f0a54a4a5b0`;
    const child = spawn("script", ["-qec", line, "/dev/null"]);
    let shown = "";
    const asked = new Promise<void>((resolve) => {
      child.stdout.on("data", (chunk: Buffer) => {
        shown += chunk.toString();
        if (shown.includes("yes")) resolve();
      });
    });
    const closed = once(child, "close");
    await Promise.race([asked, closed]);
    child.stdin.write(keys);
    expect(await closed, shown).toEqual([130, null]);
    expect(shown).toContain("you did not consent: nothing has been done");
  });

  it("bin/dmg exits at once with 130 on Ctrl-C", async () => {
    const reached = Promise.withResolvers<void>();
    const hole = createServer(() => reached.resolve());
    hole.listen(0, "127.0.0.1");
    await once(hole, "listening");
    const { port } = hole.address() as { port: number };
    const child = spawn(DMG, ["-i", "-l", `127.0.0.1:${port}`, "storage", "scan"], { stdio: "ignore" });
    const exited = once(child, "exit");
    try {
      await Promise.race([reached.promise, exited]);
    } finally {
      child.kill("SIGINT");
      hole.close();
    }
    expect(await exited).toEqual([130, null]);
  });
});
