import { type FakeCalls, FakeServer } from "@daos/control-client/testing";
import { FaultCode } from "@daos/fault";
import { formatHostAddress } from "@daos/hostlist";
import { ctl } from "@daos/proto";
import { Ajv2020 } from "ajv/dist/2020.js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { resultSchemas } from "../testing/result-schemas.ts";
import { runDmg } from "../testing/run-dmg.ts";

const uuid = (digit: number) => `${String(digit).repeat(8)}-1111-4222-8333-444444444444`;
const servers: FakeServer[] = [];
/** The requests to the hosts. */
let asked: string[] = [];

beforeEach(() => {
  asked = [];
});
afterEach(async () => {
  for (const server of servers.splice(0)) await server[Symbol.asyncDispose]();
});

async function fake(calls: FakeCalls): Promise<FakeServer> {
  const server = await FakeServer.start(calls);
  servers.push(server);
  return server;
}

/** A host with two engines of two ranks, each with one device and one pool. */
function hostOf(first: number, failing?: number): FakeCalls {
  return {
    ctl: {
      smdQuery: ({ devices, pools, health, device, target, ranks }) => {
        asked.push(`${first}: ${ranks.join()} ${device} ${target}`.trimEnd());
        const engines = [first, first + 1]
          .filter((rank) => ranks.length === 0 || ranks.includes(rank))
          .map((rank, index) => {
            if (rank === failing)
              return {
                index,
                rank,
                state: { status: ctl.ResponseStatus.CTL_ERR_APP, error: "it does not run", info: "start it" },
              };
            const has = device === "" || device === uuid(rank);
            return {
              index,
              rank,
              ...(devices && { devices: [{ uuid: uuid(rank), tgtIds: [0, 1] }] }),
              ...(pools && { pools: [{ uuid: uuid(9), tgtIds: [0], blobs: [17n] }] }),
              ...(health && has && { health: [{ devUuid: uuid(rank), temperature: 300, readErrs: 4 }] }),
            };
          });
        return { engines };
      },
    },
  };
}

/** A system of two hosts with four ranks, behind a leader on a third host. */
async function systemOf(hosts: readonly FakeCalls[], leaderCalls: FakeCalls = {}) {
  const started = [];
  for (const calls of hosts) started.push(formatHostAddress((await fake(calls)).host));
  const members = started.flatMap((addr, host) =>
    [2 * host, 2 * host + 1].map((rank) => ({ rank, uuid: "u", addr })),
  );
  const leader = await fake({
    ...leaderCalls,
    ctl: {
      systemQuery: ({ selection }) => {
        const ranks = selection?.ranks ?? [];
        return {
          members: members.filter(({ rank }) => ranks.length === 0 || ranks.includes(rank)),
          missingRanks: ranks.filter((rank) => members.every((member) => member.rank !== rank)),
        };
      },
    },
  });
  const where = formatHostAddress(leader.host);
  const run = async (...words: string[]) => {
    const answer = await runDmg(["-i", "-l", where, "storage", "query", ...words]);
    const json = await runDmg(["-i", "-l", where, "--json", "storage", "query", ...words]);
    const printed = json.json() as unknown as { command: string };
    const validate = new Ajv2020().compile(resultSchemas().get(printed.command) ?? { not: {} });
    expect(validate(printed), JSON.stringify(validate.errors)).toBe(true);
    const lines = answer.out
      .split("\n")
      .slice(2)
      .filter((line) => line !== "");
    return { ...answer, lines: lines.map((line) => line.trim().replace(/ +/g, " ")) };
  };
  return { run, hosts: started };
}

describe("dmg storage query", () => {
  it("list-devices queries the engines of all members, and shows the host and rank of each device", async () => {
    const { run, hosts } = await systemOf([hostOf(0), hostOf(2)]);
    const { status, lines } = await run("list-devices");
    expect(status).toBe(0);
    expect(lines.toSorted()).toEqual(
      [0, 1, 2, 3].map((rank) => `${hosts[rank >> 1]} ${rank} ${uuid(rank)} 0 1`).toSorted(),
    );
  });

  it("list-devices and list-pools query only the engines in --ranks", async () => {
    const { run, hosts } = await systemOf([hostOf(0), hostOf(2)]);
    expect((await run("list-devices", "--ranks", "3")).lines).toEqual([`${hosts[1]} 3 ${uuid(3)} 0 1`]);
    expect((await run("list-pools", "--ranks", "3")).lines).toEqual([`${hosts[1]} 3 ${uuid(9)} 0 0x11`]);
    expect(new Set(asked)).toEqual(new Set(["2: 3"]));
  });

  it("list-devices shows the others when an engine does not answer, and fails", async () => {
    const { run } = await systemOf([hostOf(0), hostOf(2, 3)]);
    const { status, lines, err } = await run("list-devices");
    expect(status).not.toBe(0);
    expect(lines).toHaveLength(3);
    expect(err).toContain("it does not run");
  });

  it.each(["list-devices", "list-pools", "device-health", "smd", "smd -d"])(
    "%s says nothing but the error of a rank that does not exist",
    async (words) => {
      const { run } = await systemOf([hostOf(0)]);
      const { status, out, err } = await run(...words.split(" "), "--ranks", "9");
      expect(status).not.toBe(0);
      expect(out.trim()).toBe("");
      expect(err).toContain("rank 9");
      const some = await run(...words.split(" "), "--ranks", "0,9");
      expect(some.status).toBe(6);
      expect(some.out).toContain(words.includes("list-pools") ? uuid(9) : uuid(0));
    },
  );

  it("blobstore-health queries the engines of the named ranks", async () => {
    const { run, hosts } = await systemOf([hostOf(0), hostOf(2)]);
    const { out, status } = await run("blobstore-health", "-u", uuid(2), "--rank-hosts", hosts.join(","));
    expect(status).toBe(0);
    expect(out).toContain(`Host: ${hosts[1]}  Rank: 2\nDevice UUID: ${uuid(2)}\n`);
    await run("blobstore-health", "-t", "5", "--ranks", "0");
    expect(asked.at(-1)).toBe("0: 0  5");
  });

  it("device-health finds a device on any host, and shows all devices without a uuid", async () => {
    const { run, hosts } = await systemOf([hostOf(0), hostOf(2)]);
    const one = await run("device-health", "-u", uuid(2));
    expect(one.out).toContain(`Host: ${hosts[1]}  Rank: 2\nDevice UUID: ${uuid(2)}\n`);
    expect(one.out.match(/Device UUID/g)).toHaveLength(1);
    const { out } = await run("device-health");
    expect(out.match(/Device UUID/g)).toHaveLength(4);
    await run("device-health", "-t", "5", "--ranks", "0");
    expect(asked.at(-1)).toBe("0: 0  5");
  });

  it("smd shows every engine, and with servers of release 0.8.0 their single answer", async () => {
    const { run } = await systemOf([hostOf(0), hostOf(2)]);
    expect((await run("smd", "-d")).lines).toHaveLength(4);
    expect((await run("smd")).out.match(new RegExp(uuid(9), "g"))).toHaveLength(4);
    const old = await systemOf([{}, {}], {
      mgmt: { smdListDevs: () => ({ devices: [{ uuid: uuid(7), tgtIds: [0] }] }) },
    });
    expect((await old.run("smd", "-d")).lines).toEqual([`- - ${uuid(7)} 0`]);
    const refused = await old.run("list-devices");
    expect(refused.status).not.toBe(0);
    expect(refused.err).toContain(`(client ${FaultCode.requestUnsupported})`);
  });
});
