import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FaultCode } from "@daos/fault";
import { NIL_RANK, parseRank, type Rank } from "@daos/rank";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Leadership } from "./leadership.ts";
import type { Member } from "./member.ts";
import { SqliteMemberStore } from "./member-store.ts";
import { Membership } from "./membership.ts";
import { replicaRole } from "./replica-role.ts";

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "daos-membership-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

function member(rank: number, uuid = `uuid-${rank}`, uri = `ofi+sockets://10.0.0.1:${31416 + rank}`): Member {
  return { uuid, rank: parseRank(rank), address: { host: "10.0.0.1", port: 10001 }, uri, contexts: 2 };
}

describe("Membership", () => {
  it("is the same after the store was opened again", () => {
    const path = join(directory, "members.db");
    const store = new SqliteMemberStore(path);
    const membership = new Membership(store);
    for (const rank of [2, 0, 1]) membership.record(member(rank));
    membership.record({ ...member(1), address: { host: "10.0.0.9", port: 10002 } });
    store.close();

    const again = new Membership(new SqliteMemberStore(path));
    expect(again.list()).toEqual([
      member(0),
      { ...member(1), address: { host: "10.0.0.9", port: 10002 } },
      member(2),
    ]);
  });

  it("keeps rank and uuid one to one", () => {
    const membership = new Membership(new SqliteMemberStore(":memory:"));
    membership.record(member(0));
    expect(() => membership.record(member(0, "other"))).toThrow("that rank belongs to engine uuid-0");
    expect(membership.list()).toEqual([member(0)]);
  });

  it.each<[string, { uuid: string; rank: number; uri: string }, unknown]>([
    ["a new engine", { uuid: "new", rank: NIL_RANK, uri: "u" }, { kind: "ask-engine" }],
    ["a new engine with a free rank", { uuid: "new", rank: 7, uri: "u" }, { kind: "ask-engine" }],
    ["a member as it was", { uuid: "uuid-1", rank: 1, uri: member(1).uri }, { kind: "rejoin", rank: 1 }],
    [
      "a member that lost its rank",
      { uuid: "uuid-1", rank: NIL_RANK, uri: member(1).uri },
      { kind: "rejoin", rank: 1 },
    ],
    [
      "a member at a new fabric address",
      { uuid: "uuid-1", rank: 1, uri: "elsewhere" },
      { kind: "ask-engine" },
    ],
    [
      "a taken rank",
      { uuid: "new", rank: 1, uri: "u" },
      { kind: "refuse", fault: { code: FaultCode.memberConflict } },
    ],
    [
      "a changed rank",
      { uuid: "uuid-1", rank: 4, uri: "u" },
      { kind: "refuse", fault: { code: FaultCode.memberConflict } },
    ],
  ])("plans the join of %s", (_name, attempt, expected) => {
    const membership = new Membership(new SqliteMemberStore(":memory:"));
    for (const rank of [0, 1]) membership.record(member(rank));
    expect(membership.planJoin({ ...attempt, rank: attempt.rank as Rank })).toMatchObject(expected as object);
  });

  it("says when its file is not a database", () => {
    const path = join(directory, "members.db");
    writeFileSync(path, "this is not a database, and it is long enough to be sure of that".repeat(20));
    expect(() => new SqliteMemberStore(path)).toThrow(
      /cannot be kept in .*members.db: file is not a database/,
    );
  });
});

describe("replicaRole", () => {
  const options = {
    port: 10001,
    localAddresses: new Set(["127.0.0.1", "::1", "10.0.0.2"]),
    resolve: async (host: string) => {
      const known: Record<string, string[]> = {
        localhost: ["127.0.0.1"],
        node1: ["10.0.0.1"],
        node2: ["10.0.0.2"],
      };
      const found = known[host];
      if (found === undefined) throw new Error(`ENOTFOUND ${host}`);
      return found;
    },
  };
  const at = (host: string, port = 10001) => ({ host, port });

  it.each([
    [[at("localhost")], "bootstrap"],
    [[at("node1"), at("node2")], "replica"],
    [[at("node1")], "none"],
    [[at("localhost", 10002)], "none"],
    [[at("nowhere", 10002), at("node2")], "replica"],
  ] as const)("%j is %s", async (accessPoints, role) => {
    expect(await replicaRole(accessPoints, options)).toBe(role);
  });

  it("names an access point that does not resolve", async () => {
    await expect(replicaRole([at("nowhere")], options)).rejects.toThrow(
      "access point nowhere cannot be resolved",
    );
  });
});

describe("Leadership", () => {
  const accessPoints = [{ host: "node1", port: 10001 }];
  const self = { host: "10.0.0.1", port: 10001 };

  it("has members on the leader while its engine serves", () => {
    const leadership = new Leadership({ accessPoints, role: "bootstrap", self });
    expect(() => leadership.membership()).toThrow("is not ready");
    leadership.open(new SqliteMemberStore(":memory:"), member(0));
    expect(leadership.membership().list()).toEqual([member(0)]);
    leadership.close();
    expect(() => leadership.membership()).toThrow("is not ready");
  });

  it("sends others to the leader", () => {
    const leadership = new Leadership({
      accessPoints,
      role: "none",
      self: { host: "10.0.0.7", port: 10001 },
    });
    expect(() => leadership.membership()).toThrow(
      "10.0.0.7:10001 is not the leader of the management service: try node1:10001",
    );
  });
});
