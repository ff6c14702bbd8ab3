import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { loadServerConfig, type ServerConfig } from "@daos/config";
import { moveToEtcd } from "@daos/election";
import { bytes, prefixEnd, text } from "@daos/etcd";
import { EtcdCluster } from "@daos/etcd/testing";
import { FaultCode } from "@daos/fault";
import { silentLogger } from "@daos/log";
import { decodeMember, type Member, membersFile, movedFile, SqliteMemberStore } from "@daos/member-store";
import { memberOf } from "@daos/membership/testing";
import { createSuperblock, type Superblock, writeSuperblock } from "@daos/superblock";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openMembersPort } from "./members-port.ts";

let etcd: EtcdCluster;
beforeAll(async () => {
  etcd = await EtcdCluster.start();
}, 120_000);
afterAll(async () => {
  await etcd[Symbol.asyncDispose]();
});

let directory = "";
let mount = "";
let superblock: Superblock;
let system = "";
let systems = 0;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "daos-move-"));
  mount = join(directory, "scm");
  system = `system${systems++}`;
  superblock = createSuperblock({ system, rank: undefined, replica: "bootstrap" });
});
afterEach(() => rm(directory, { recursive: true }));

const wait = () => ({ signal: AbortSignal.timeout(40_000) });
const move = async (dryRun = false) =>
  moveToEtcd(await config("etcd"), { dryRun, log: silentLogger, ...wait() });
const notMovable = (reason: string) => ({
  code: FaultCode.membersNotMovable,
  message: expect.stringContaining(reason) as string,
});

function config(
  backend: "embedded" | "etcd",
  endpoints: readonly string[] = etcd.endpoints,
): Promise<ServerConfig> {
  return configFrom(backend === "etcd" ? `system_db: {backend: etcd, endpoints: [${endpoints.join()}]}` : "");
}

async function configFrom(more: string): Promise<ServerConfig> {
  const path = join(directory, "daos_server.yml");
  const yaml = `name: ${system}
provider: ofi+sockets
transport_config: {allow_insecure: true}
servers: [{fabric_iface: lo, scm_mount: ${mount}, scm_class: ram, scm_size: 1}]
${more}
`;
  await writeFile(path, yaml);
  return loadServerConfig(path);
}

/** The storage of a first access point whose server is down. */
async function storage(members: readonly Member[]): Promise<string> {
  await mkdir(mount);
  await writeSuperblock(mount, superblock);
  const path = membersFile(mount);
  await mkdir(dirname(path));
  const store = new SqliteMemberStore(path);
  await store.commit(
    members.map((member) => ({ kind: "put", member })),
    wait(),
  );
  await store.close();
  return path;
}

const some = () => [
  memberOf(0, { uuid: superblock.uuid }),
  memberOf(3, { state: "excluded", reason: "its disks are slow" }),
];

async function inEtcd(): Promise<readonly Member[]> {
  using client = etcd.client();
  const prefix = `/daos/${system}/members/`;
  const { kvs } = await client.range({ key: bytes(prefix), rangeEnd: prefixEnd(prefix) }, wait());
  return kvs.map(({ value }) => decodeMember(text(value))).toSorted((a, b) => a.rank - b.rank);
}

/** The action of a server when the storage of its first engine is ready. */
async function storageReady(loaded: ServerConfig): Promise<void> {
  using members = membersOf(loaded);
  await members.port.check(mount, superblock.uuid, wait());
}

const membersOf = (loaded: ServerConfig) =>
  openMembersPort({ config: loaded, self: { host: "127.0.0.1", port: loaded.port }, log: silentLogger });

describe("moveToEtcd", { timeout: 120_000 }, () => {
  it("moveToEtcd() moves the members, and renames the file", async () => {
    const path = await storage(some());
    const found = { from: path, endpoints: etcd.endpoints, members: some(), pools: [], wereThere: false };
    expect(await move(true)).toEqual({ ...found, movedFile: undefined });
    expect(await inEtcd()).toEqual([]);
    expect(await move()).toEqual({ ...found, movedFile: `${path}.moved` });
    expect(await inEtcd()).toEqual(some());
    expect(await readdir(dirname(path))).toEqual(["members.db.moved"]);
    await expect(move()).rejects.toMatchObject(notMovable("they were moved before"));
  });

  it("moveToEtcd() can be repeated when it was interrupted", async () => {
    const path = await storage(some());
    await move();
    await rm(movedFile(path));
    await rm(mount, { recursive: true });
    await storage(some());
    expect(await move()).toMatchObject({ wereThere: true, movedFile: `${path}.moved` });
    expect(await inEtcd()).toEqual(some());
  });

  it("moveToEtcd() is refused while a server has the file open", async () => {
    const server = new SqliteMemberStore(await storage(some()));
    await expect(move()).rejects.toMatchObject({ code: FaultCode.membersInUse });
    await server.close();
    expect(await inEtcd()).toEqual([]);
  });

  it.each<{ readonly name: string; readonly prepare: () => Promise<unknown>; readonly reason: string }>([
    { name: "no storage", prepare: async () => {}, reason: "scm is not mounted, or not formatted" },
    {
      name: "storage without members",
      prepare: async () => {
        await mkdir(mount);
        await writeSuperblock(mount, superblock);
      },
      reason: "there is no ",
    },
    { name: "no members", prepare: () => storage([]), reason: "members.db has no members" },
  ])("moveToEtcd() is refused with $name", async ({ prepare, reason }) => {
    await prepare();
    await expect(move()).rejects.toMatchObject(notMovable(reason));
  });

  it("moveToEtcd() is refused with another system's storage, and without etcd in the configuration", async () => {
    await storage(some());
    const embedded = moveToEtcd(await config("embedded"), { dryRun: false, log: silentLogger, ...wait() });
    await expect(embedded).rejects.toMatchObject(notMovable("does not say where etcd is"));
    system = "another";
    await expect(move()).rejects.toMatchObject({ code: FaultCode.superblockOtherSystem });
  });
});

describe("MembersPort.check() when the storage is ready", { timeout: 120_000 }, () => {
  it("MembersPort.check() refuses an empty etcd while the members are in the file", async () => {
    const path = await storage(some());
    await expect(storageReady(await config("etcd"))).rejects.toMatchObject({
      code: FaultCode.membersLeftBehind,
      message: expect.stringContaining(`etcd does not have them, and ${path} has 2`) as string,
      resolution: expect.stringContaining("daos-server members move -o ") as string,
    });
    await move();
    await storageReady(await config("etcd"));
  });

  it("MembersPort.check() refuses an etcd with other members while the members are in the file", async () => {
    await storage([memberOf(5)]);
    await move();
    await rm(mount, { recursive: true });
    await storage(some());
    await expect(storageReady(await config("etcd"))).rejects.toMatchObject({
      code: FaultCode.membersLeftBehind,
    });
    await expect(move()).rejects.toMatchObject(notMovable("etcd has other members of the system already: 1"));
  });

  it("MembersPort.check() accepts an etcd that has the engine, and an empty etcd when the file has no members", async () => {
    await storageReady(await config("etcd"));
    await storage([]);
    await storageReady(await config("etcd"));
    await rm(mount, { recursive: true });
    const path = await storage(some());
    await move();
    await rm(movedFile(path));
    await rm(mount, { recursive: true });
    await storage(some());
    await storageReady(await config("etcd"));
  });

  it("MembersPort.check() waits for etcd when only etcd can decide", async () => {
    await storage(some());
    const nowhere = await config("etcd", ["http://127.0.0.1:1"]);
    using members = membersOf(nowhere);
    const signal = AbortSignal.timeout(1_500);
    const ready = members.port.check(mount, superblock.uuid, { signal });
    await expect(ready).rejects.toMatchObject({ name: "TimeoutError" });
  });

  it("MembersPort.check() refuses an empty file when the members were moved to etcd", async () => {
    const path = await storage(some());
    await storageReady(await config("embedded"));
    await move();
    await expect(storageReady(await config("embedded"))).rejects.toMatchObject({
      code: FaultCode.membersMoved,
      message: expect.stringContaining(`${path}.moved`) as string,
    });
  });
});
