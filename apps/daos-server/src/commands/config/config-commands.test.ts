import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";

// Each test starts processes, which is slow on a busy machine.
vi.setConfig({ testTimeout: 180_000 });

const app = join(import.meta.dirname, "..", "..", "..");
const root = join(app, "..", "..");

interface Outcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the program like an operator, on a host with a data plane. */
function daosServer(...args: readonly string[]): Promise<Outcome> {
  return runWith(`${directory}/bin:${process.env.PATH}`, args);
}

function runWith(path: string, args: readonly string[]): Promise<Outcome> {
  const env = { ...process.env, PATH: path, HOME: directory };
  return new Promise((resolve) => {
    execFile(join(app, "bin", "daos-server"), args, { cwd: directory, env }, (error, stdout, stderr) => {
      resolve({ exitCode: typeof error?.code === "number" ? error.code : 0, stdout, stderr });
    });
  });
}

let directory = "";
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "daos-config-"));
  await mkdir(join(directory, "bin"));
  await writeFile(join(directory, "bin", "daos_io_server"), "#!/bin/sh\n", { mode: 0o755 });
});
afterAll(() => rm(directory, { recursive: true }));

describe("config check", () => {
  it.each([
    "docs/samples/single_host.yml",
    "docs/samples/two_sockets.yml",
    "docs/samples/emulated_devices.yml",
    "libs/config/fixtures/daos_server_psm2.yml",
  ])("config check accepts %s", async (file) => {
    const { exitCode, stdout } = await daosServer("config", "check", "--file-only", "-o", join(root, file));
    expect(stdout).toContain("is valid: ");
    expect(exitCode).toBe(0);
  });

  it("config check lists all errors and ends with 1", async () => {
    await writeFile(join(directory, "bad.yml"), "prot: 1\nport: no\n");
    expect(await daosServer("config", "check", "--file-only", "-o", "bad.yml")).toEqual({
      exitCode: 1,
      stdout: `bad.yml:1:1: error: prot: unknown key; did you mean "port"?
bad.yml:1:1: warning: servers: there is no section of an engine, so no engine will start; expected one section for each engine; make a configuration for this machine with daos-server config generate
bad.yml:2:7: error: port: no is a boolean; expected a whole number from 1 to 65535
bad.yml is not valid: 2 errors, 1 warning
`,
      stderr: "",
    });
  });

  it("config check prints the same findings as JSON with --json", async () => {
    await writeFile(join(directory, "bad.yml"), "prot: 1\n");
    const { exitCode, stdout } = await daosServer("config", "check", "-o", "bad.yml", "--json");
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      valid: false,
      usable: false,
      problems: [{ severity: "error", line: 1, column: 1, key: "prot", suggestions: ["port"] }, {}],
    });
  });

  it("config check ends with 3 when the file is valid, but not for this machine", async () => {
    await writeFile(
      join(directory, "elsewhere.yml"),
      `socket_dir: ${directory}\nprovider: ofi+sockets\ntransport_config: {allow_insecure: true}\nservers:\n- {fabric_iface: no-such-if, scm_mount: /m, scm_class: ram, scm_size: 1}\n`,
    );
    const { exitCode, stdout } = await daosServer("-o", "elsewhere.yml", "config", "check");
    expect(stdout).toContain(
      "elsewhere.yml:5:18: error: servers[0].fabric_iface: this machine has no interface no-such-if",
    );
    expect(stdout).toContain("elsewhere.yml is valid, but not for this machine: 1 error");
    expect(exitCode).toBe(3);
  });

  it("config check ends with 3 when certificates, engine, host names or directories would keep the server from starting", async () => {
    await writeFile(
      join(directory, "unready.yml"),
      `access_points: [no-host.invalid, localhost]
socket_dir: ${directory}/none
system_db: {backend: etcd, endpoints: ["https://no-etcd.invalid:2379"]}
provider: sm
servers:
- {fabric_iface: lo, scm_mount: ${directory}/unready.yml/mnt, scm_class: ram, scm_size: 1}
`,
    );
    const args = ["config", "check", "-o", "unready.yml"];
    const { exitCode, stdout } = await runWith("/usr/bin:/bin", args);
    for (const text of [
      "1:17: error: access_points[0]: no-host.invalid has no address here",
      "1:16: warning: access_points: 2 access points survive no more losses than 1",
      "error: transport_config: the CA certificate /etc/daos/certs/daosCA.crt does not exist",
      `2:13: error: socket_dir: ${directory}/none does not exist`,
      "error: system_db.endpoints[0]: no-etcd.invalid has no address here",
      `error: servers[0].scm_mount: ${directory}/unready.yml is not a directory`,
      "error: engine: ",
    ])
      expect(stdout).toContain(text);
    expect(exitCode).toBe(3);
    expect((await daosServer(...args)).stdout).not.toContain("error: engine: ");
  });

  it("config check accepts the output of config generate", async () => {
    const how = ["--output", "made.yml", "--insecure", "--socket_dir", directory];
    const { exitCode, stderr } = await daosServer("config", "generate", ...how);
    expect([exitCode, stderr]).toEqual([0, expect.stringContaining("written: made.yml")]);
    const check = await daosServer("config", "check", "-o", "made.yml");
    expect([check.exitCode, check.stdout]).toEqual([0, expect.stringContaining("made.yml is valid")]);
  });
});

describe("explanations", () => {
  it("config explain and explain explain a key, a failure, and report an unknown key", async () => {
    expect((await daosServer("config", "explain", "scm_size")).stdout).toBe(
      "servers[].scm_size\n  Size of the tmpfs in GiB, for scm_class ram.\n  Allowed: a whole number from 0 to 1048576\n  Example: scm_size: 16\n",
    );
    expect((await daosServer("explain", "-1007")).stdout).toContain("DER_NOSPACE");
    expect(await daosServer("explain", "99")).toMatchObject({ exitCode: 2, stdout: "" });
    expect(JSON.parse((await daosServer("explain", "--json")).stdout).length).toBeGreaterThan(100);
  });

  it("config schema prints the schema for editors", async () => {
    const { stdout } = await daosServer("config", "schema");
    expect(JSON.parse(stdout)).toMatchObject({ additionalProperties: false });
  });
});
