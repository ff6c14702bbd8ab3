import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { loadServerConfig, type ServerConfig } from "@daos/config";
import { EtcdCluster } from "@daos/etcd/testing";
import { FaultCode } from "@daos/fault";
import type { MembersPort } from "@daos/host";
import { silentLogger } from "@daos/log";
import { type Member, membersFile, openMembers } from "@daos/member-store";
import { samplePool } from "@daos/member-store/testing";
import { memberOf } from "@daos/membership/testing";
import { createSuperblock, writeSuperblock } from "@daos/superblock";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openMembersPort } from "./members-port.ts";
import { openMembersState } from "./members-state.ts";
import { runCommandLine } from "./run-command-line.ts";

let directory = "";
let mount = "";
let configPath = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "daos-restore-"));
  mount = join(directory, "scm");
  configPath = join(directory, "daos_server.yml");
});
afterEach(() => rmSync(directory, { recursive: true }));

const wait = () => ({ signal: AbortSignal.timeout(40_000) });
const members = [
  memberOf(0),
  memberOf(1, { state: "excluded", reason: "by an administrator" }),
  memberOf(2, { state: "stopped" }),
];
const pools = [samplePool(1), samplePool(2, { label: "" })];
const put = (member: Member) => ({ kind: "put", member }) as const;

async function configWith(more = ""): Promise<ServerConfig> {
  await writeFile(
    configPath,
    `name: restore
provider: ofi+sockets
transport_config: {allow_insecure: true}
servers: [{fabric_iface: lo, scm_mount: ${mount}, scm_class: ram, scm_size: 1}]
${more}
`,
  );
  return loadServerConfig(configPath);
}

/** Runs `daos-server members ...` with `--json`. */
async function run(...argv: readonly string[]) {
  const written: string[] = [];
  const output = { out: (text: string) => written.push(text), err: () => {}, columns: 80 };
  const { exitCode } = await runCommandLine(["members", ...argv, "-o", configPath, "--json"], output);
  return { exitCode, document: JSON.parse(written.join("")) as unknown };
}

/** A formatted first access point that is down, and that has led a system with these members. */
async function systemInFile(): Promise<string> {
  const config = await configWith();
  await mkdir(mount);
  await writeSuperblock(
    mount,
    createSuperblock({ system: "restore", rank: undefined, replica: "bootstrap" }),
  );
  const store = await openMembers(mount);
  await store.commit(members.map(put), wait());
  await store.commitPools(
    pools.map((pool) => ({ kind: "put", pool })),
    wait(),
  );
  await store.close();
  await (await openMembersState(config, silentLogger))?.saveCopy(members, pools);
  return membersFile(mount);
}

async function inFile(): Promise<readonly Member[]> {
  const store = await openMembers(mount);
  const found = await store.load();
  await store.close();
  return found;
}

describe("with the members in a file", () => {
  it("members export and members import restore a system's members, and refuse to replace others without --force", async () => {
    const path = await systemInFile();
    const file = join(directory, "members.json");
    expect(await run("export", "--output", file)).toMatchObject({ exitCode: 0, document: { output: file } });
    expect(await run("import", file)).toMatchObject({
      exitCode: 1,
      document: { errors: [{ code: FaultCode.membersNotMovable }] },
    });
    const store = await openMembers(mount);
    await store.commit([put(memberOf(7)), { kind: "remove", uuid: "uuid-1" }], wait());
    expect(await run("import", "--force", file)).toMatchObject({
      exitCode: 1,
      document: { errors: [{ code: FaultCode.membersInUse }] },
    });
    await store.close();
    expect(await run("import", "--force", "--dry-run", file)).toMatchObject({
      exitCode: 0,
      document: { dryRun: true, members: [{}, {}, {}] },
    });
    expect(await inFile()).toHaveLength(3);
    expect(await run("import", "--force", file)).toMatchObject({
      exitCode: 0,
      document: { where: path, replaced: 3 },
    });
    expect(await inFile()).toEqual(members);
    writeFileSync(file, readFileSync(file, "utf8").replace('"restore"', '"another"'));
    expect(await run("import", "--force", file)).toMatchObject({
      exitCode: 1,
      document: { errors: [{ code: FaultCode.membersNotMovable }] },
    });
  });

  it.each([
    ["missing", (path: string) => rmSync(path)],
    ["empty", (path: string) => writeFileSync(path, "")],
    ["damaged", (path: string) => writeFileSync(path, "not a database ".repeat(500))],
  ])("members restore restores the members when their file is %s", async (what, damage) => {
    const path = await systemInFile();
    damage(path);
    await expect(openMembers(mount)).rejects.toMatchObject({
      resolution: expect.stringContaining("restore") as string,
    });
    expect(await run("restore")).toMatchObject({ exitCode: 0, document: { where: path, replaced: 0 } });
    expect(await inFile()).toEqual(members);
    expect(readdirSync(dirname(path)).some((name) => name.includes(".damaged-"))).toBe(what === "damaged");
  });

  it("members accept accepts the store as it is, renames the copy, and refuses a damaged file", async () => {
    const path = await systemInFile();
    writeFileSync(path, "not a database ".repeat(500));
    expect(await run("accept")).toMatchObject({
      exitCode: 1,
      document: { errors: [{ code: FaultCode.memberStoreUnusable }] },
    });
    rmSync(path);
    const accepted = await run("accept");
    expect(accepted).toMatchObject({ exitCode: 0, document: { where: path, members: [] } });
    const { copy } = accepted.document as { readonly copy: string };
    expect(await inFile()).toEqual([]);
    expect(await run("restore")).toMatchObject({
      exitCode: 1,
      document: { errors: [{ code: FaultCode.membersNotMovable }] },
    });
    expect(await run("import", copy)).toMatchObject({ exitCode: 0 });
    expect(await inFile()).toEqual(members);
  });

  it("members restore gives a remedy when there is no copy", async () => {
    await configWith();
    expect(await run("restore")).toMatchObject({
      exitCode: 1,
      document: { errors: [{ code: FaultCode.membersNotMovable }] },
    });
  });
});

describe("with the members in etcd", { timeout: 200_000 }, () => {
  /** Leads the system, reads the members, and changes them. */
  async function lead(config: ServerConfig, changes: readonly Member[]): Promise<readonly Member[]> {
    const state = await openMembersState(config, silentLogger);
    const self = { host: "127.0.0.1", port: config.port };
    using opened = openMembersPort({ config, self, state, log: silentLogger });
    const port = opened.port as Extract<MembersPort, { readonly kind: "etcd" }>;
    const election = port.openElection(() => false);
    const stop = new AbortController();
    const led = Promise.withResolvers<readonly Member[]>();
    const running = election.run((view) => {
      if (view.kind !== "leading") return;
      const { store } = view.term;
      void store
        .load(wait())
        .then(async (found) => {
          await store.commit(changes.map(put), wait());
          led.resolve(found);
        })
        .catch(led.reject);
    }, stop);
    const refused = expect
      .poll(() => election.outage?.code, { timeout: 60_000 })
      .toBe(FaultCode.memberStoreReplaced)
      .then(() => Promise.reject(election.outage as Error));
    refused.catch(() => {});
    try {
      return await Promise.race([led.promise, refused]);
    } finally {
      stop.abort(new Error("the test ends"));
      await running;
    }
  }

  const configOf = (cluster: EtcdCluster) =>
    configWith(
      `access_points: [127.0.0.1]
system_db: {backend: etcd, endpoints: [${cluster.endpoints.map((url) => `"${url}"`).join(", ")}]}`,
    );

  it("members restore restores the members of an empty etcd, and every access point accepts them", async () => {
    {
      await using before = await EtcdCluster.start();
      const config = await configOf(before);
      expect(await lead(config, members)).toEqual([]);
      await (await openMembersState(config, silentLogger))?.saveCopy(members, pools);
    }
    await using cluster = await EtcdCluster.start();
    const config = await configOf(cluster);
    await expect(lead(config, [])).rejects.toMatchObject({ code: FaultCode.memberStoreReplaced });
    expect(await run("restore")).toMatchObject({
      exitCode: 0,
      document: { replaced: 0, members: [{}, {}, {}] },
    });
    expect(await lead(config, [])).toEqual(members);
    expect(await run("restore")).toMatchObject({
      exitCode: 1,
      document: { errors: [{ code: FaultCode.membersNotMovable }] },
    });
  });

  it("members export and import move members from etcd to a file, with exclusions and pools", async () => {
    await using cluster = await EtcdCluster.start();
    const inEtcd = await configOf(cluster);
    expect(await lead(inEtcd, members)).toEqual([]);
    const output = join(directory, "members.json");
    expect(await run("export", "--output", output)).toMatchObject({ exitCode: 0 });
    // From here on the configuration has one access point and no system_db.
    await configWith();
    await mkdir(mount, { recursive: true });
    await writeSuperblock(
      mount,
      createSuperblock({ system: "restore", rank: undefined, replica: "bootstrap" }),
    );
    await mkdir(dirname(membersFile(mount)), { recursive: true });
    // The members were moved to etcd before.
    writeFileSync(`${membersFile(mount)}.moved`, "");
    expect(await run("import", output)).toMatchObject({ exitCode: 0, document: { replaced: 0 } });
    const store = await openMembers(mount);
    expect(await store.load()).toEqual(members);
    await store.close();
  });
});
