import { execFile } from "node:child_process";
import { copyFile, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const app = join(import.meta.dirname, "..", "..", "..");

let directory = "";
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "daos-cert-"));
});
afterAll(() => rm(directory, { recursive: true }));

interface Outcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the program like an operator. */
function cert(...args: readonly string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(
      join(app, "bin", "daos-server"),
      ["cert", ...args.slice(0, 1), "--directory", "daosCA", ...args.slice(1)],
      { cwd: directory },
      (error, stdout, stderr) => {
        resolve({ exitCode: typeof error?.code === "number" ? error.code : 0, stdout, stderr });
      },
    );
  });
}

describe("cert", { timeout: 300_000 }, () => {
  it("daos-server cert init, issue, status and renew make, show and renew a system's certificates", async () => {
    // A repeated test starts again from the beginning.
    await rm(join(directory, "daosCA"), { recursive: true, force: true });
    expect(await cert("status")).toMatchObject({ exitCode: 1 });
    expect(await cert("init")).toMatchObject({ exitCode: 0, stderr: "" });
    for (const role of ["server", "admin"]) {
      const { exitCode, stdout } = await cert("issue", "--role", role);
      expect(stdout).toContain(
        join(directory, `daosCA/certs/${role}.crt: cert of the ${role}, valid until `),
      );
      expect(exitCode).toBe(0);
    }
    const agent = await cert(
      "issue",
      "--role",
      "agent",
      "--key-type",
      "ecdsa",
      "--name",
      "node7",
      "--days",
      "12",
    );
    expect(agent.stdout).toContain("certs/clients/node7.crt: copy it to client_cert_dir of every server");
    expect((await stat(join(directory, "daosCA/certs/node7.key"))).mode & 0o777).toBe(0o400);

    const soon = await cert("status");
    expect(soon).toMatchObject({
      exitCode: 3,
      stderr: expect.stringContaining("node7.crt (O=DAOS, CN=agent) expires in 11 days") as string,
    });
    expect(soon.stdout).toMatch(
      /daosCA\/certs\/server\.crt +server +EC prime256v1 +\d{4}-\d\d-\d\d +1094 +ok/,
    );

    const renewed = await cert("renew", "daosCA/certs/node7.crt", "--json");
    expect(JSON.parse(renewed.stdout)).toMatchObject({
      client: join(directory, "daosCA/certs/clients/node7.crt"),
    });
    const after = await cert("status", "--json");
    expect(after).toMatchObject({ exitCode: 0, stderr: "" });
    const { certificates } = JSON.parse(after.stdout) as { certificates: { kind: string; state: string }[] };
    expect(certificates.map(({ kind, state }) => `${kind} ${state}`)).toEqual([
      "ca ok",
      "admin ok",
      "agent ok",
      "server ok",
      "agent ok",
    ]);
  });

  it("daos-server cert status shows the state of the files in a configuration", async () => {
    const certs = join(directory, "daosCA/certs");
    await copyFile(join(certs, "admin.crt"), join(directory, "wrong.crt"));
    const base = await readFile(join(app, "../../docs/samples/single_host.yml"), "utf8");
    const transport = (own: string) => ({
      allow_insecure: false,
      ca_cert: join(certs, "daosCA.crt"),
      cert: own,
      key: join(certs, "admin.key"),
      client_cert_dir: join(certs, "clients"),
    });
    // A second key of the same name would be an error, so the sample's own section is removed.
    const rest = base.replace(/^transport_config:\n(?:[ #].*\n|\n)*/m, "");
    const yaml = `${rest}\ntransport_config: ${JSON.stringify(transport(join(directory, "wrong.crt")))}\n`;
    await writeFile(join(directory, "server.yml"), yaml);
    const { exitCode, stderr } = await cert("status", "-o", "server.yml");
    expect(stderr).toContain('wrong.crt (O=DAOS, CN=admin) has the role "admin", but server is needed');
    expect(stderr).toContain('issue one with "daos-server cert issue --role server"');
    expect(exitCode).toBe(1);
  });

  it.each([
    [["init"], 1, "there is a certificate authority already"],
    [["issue", "--role", "admin"], 1, "admin.crt exists already"],
    [["issue", "--role", "admin", "--name", "../x"], 2, '"../x" cannot be the name of a certificate'],
    [["issue", "--role", "root"], 2, "Expected --role=root to be one of: server, admin, agent"],
    [["issue", "--role", "admin", "--directory", "none"], 1, "none/certs/daosCA.crt does not exist"],
    [["renew", "nothing.crt"], 1, "nothing.crt does not exist"],
    [["status", "-o", "nothing.yml"], 1, "nothing.yml"],
  ])("daos-server cert %j ends with %i", async (args, exitCode, message) => {
    const outcome = await cert(...args);
    expect(outcome.stderr).toContain(message);
    expect(outcome).toMatchObject({ exitCode, stdout: "" });
  });

  it("status shows a certificate of the authority that it has revoked as such, and that is no failure", async () => {
    const before = await cert("status");
    await cert("issue", "--role", "agent", "--name", "lost");
    expect(await cert("revoke", "daosCA/certs/clients/lost.crt")).toMatchObject({ exitCode: 0 });
    const { exitCode, stdout, stderr } = await cert("status");
    expect(stdout).toMatch(/clients\/lost\.crt +agent .* revoked$/m);
    expect(stderr).not.toContain("lost.crt");
    expect(exitCode).toBe(before.exitCode);
  });
});
