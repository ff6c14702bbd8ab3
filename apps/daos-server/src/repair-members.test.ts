import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { loadServerConfig, type ServerConfig } from "@daos/config";
import { Leadership } from "@daos/election";
import { bytes } from "@daos/etcd";
import { EtcdCluster } from "@daos/etcd/testing";
import { FaultCode } from "@daos/fault";
import { silentLogger } from "@daos/log";
import { encodeMember, membersFile, SqliteMemberStore } from "@daos/member-store";
import { memberOf } from "@daos/membership/testing";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openMembersPort } from "./members-port.ts";
import { checkMembers, repairMembers } from "./repair-members.ts";
import { runCommandLine } from "./run-command-line.ts";

let etcd: EtcdCluster;
beforeAll(async () => {
  etcd = await EtcdCluster.start();
}, 120_000);
afterAll(async () => {
  await etcd[Symbol.asyncDispose]();
});

let directory = "";
let mount = "";
let configPath = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "daos-repair-"));
  mount = join(directory, "scm");
  configPath = join(directory, "daos_server.yml");
});
afterEach(() => rm(directory, { recursive: true }));

const options = () => ({ log: silentLogger, signal: AbortSignal.timeout(60_000) });
const good = [memberOf(0), memberOf(2, { state: "excluded", reason: "slow" })];
/** A member that a release without limits stored. */
const badDocument = encodeMember(memberOf(1)).replace('"rank":1', '"rank":4294967295');
const bad = {
  uuid: "uuid-1",
  document: badDocument,
  reason: expect.stringContaining("the rank of a member is 4294967295") as string,
};

async function configOf(more = ""): Promise<ServerConfig> {
  await writeFile(
    configPath,
    `name: repair
provider: ofi+sockets
transport_config: {allow_insecure: true}
servers: [{fabric_iface: lo, scm_mount: ${mount}, scm_class: ram, scm_size: 1}]
${more}
`,
  );
  return loadServerConfig(configPath);
}

async function badFile(): Promise<string> {
  const path = membersFile(mount);
  await mkdir(dirname(path), { recursive: true });
  const store = new SqliteMemberStore(path);
  await store.commit(
    [...good, memberOf(1)].map((member) => ({ kind: "put", member })),
    options(),
  );
  await store.close();
  using database = new DatabaseSync(path);
  database.prepare("UPDATE members SET document = ? WHERE uuid = ?").run(badDocument, "uuid-1");
  return path;
}

describe("with the members in a file", () => {
  it("checkMembers() lists unreadable members while a server has the file open, and repairMembers() is refused", async () => {
    const path = await badFile();
    const config = await configOf();
    const server = new SqliteMemberStore(path);
    expect(await checkMembers(config, options())).toEqual({
      where: path,
      members: good,
      pools: [],
      unreadable: [bad],
      unreadablePools: [],
      quarantined: [],
    });
    await expect(repairMembers(config, options())).rejects.toMatchObject({ code: FaultCode.membersInUse });
    await server.close();
    expect(await repairMembers(config, options())).toEqual({ where: path, moved: [bad] });
    expect(await checkMembers(config, options())).toMatchObject({
      members: good,
      unreadable: [],
      quarantined: [bad],
    });
  });

  it("members check fails when a member cannot be read, and not after members repair", async () => {
    await badFile();
    const config = await configOf();
    const check = async () => {
      const written: string[] = [];
      const output = { out: (text: string) => written.push(text), err: () => {}, columns: 80 };
      const status = await runCommandLine(["members", "check", "-o", configPath, "--json"], output);
      return { ...status, document: JSON.parse(written.join("")) as unknown };
    };
    expect(await check()).toMatchObject({
      exitCode: 1,
      document: { unreadable: [{}], status: 1, errors: [{ code: FaultCode.memberUnreadable }] },
    });
    await repairMembers(config, options());
    expect(await check()).toMatchObject({ exitCode: 0, document: { unreadable: [], quarantined: [{}] } });
  });

  it("checkMembers() names the right host when there is no file", async () => {
    await expect(checkMembers(await configOf(), options())).rejects.toMatchObject({
      code: FaultCode.membersNotMovable,
      message: expect.stringContaining(`there is no ${membersFile(mount)}`) as string,
    });
  });
});

describe("with the members in etcd", { timeout: 120_000 }, () => {
  it("repairMembers() is refused while a server leads, and moves unreadable members aside when no server leads", async () => {
    const config = await configOf(`system_db: {backend: etcd, endpoints: [${etcd.endpoints.join()}]}`);
    using client = etcd.client();
    const documents = [...good.map((member) => [member.uuid, encodeMember(member)]), ["uuid-1", badDocument]];
    for (const [uuid, document] of documents)
      await client.txn(
        {
          success: [
            {
              request: {
                case: "requestPut",
                value: { key: bytes(`/daos/repair/members/${uuid}`), value: bytes(document ?? "") },
              },
            },
          ],
        },
        options(),
      );
    const serving = new AbortController();
    const self = { host: "127.0.0.1", port: config.port };
    using members = openMembersPort({ config, self, log: silentLogger });
    if (members.port.kind !== "etcd") throw new Error("the configuration names no etcd");
    const election = members.port.openElection(() => false);
    const leadership = new Leadership({ election, self, ranksFrom: "store", log: silentLogger });
    const server = leadership.run(serving.signal);
    while (!leadership.leadsHere) await new Promise((resolve) => setTimeout(resolve, 20));
    // The leader serves the readable members.
    expect(leadership.membership().list()).toEqual(good);
    expect(await checkMembers(config, options())).toMatchObject({ members: good, unreadable: [bad] });
    await expect(repairMembers(config, options())).rejects.toMatchObject({
      code: FaultCode.membersNotMovable,
      message: expect.stringContaining("repair the members of the system") as string,
    });
    serving.abort();
    await server;
    expect((await repairMembers(config, options())).moved).toEqual([bad]);
    expect(await checkMembers(config, options())).toMatchObject({
      members: good,
      unreadable: [],
      quarantined: [bad],
    });
    expect((await repairMembers(config, options())).moved).toEqual([]);
  });
});
