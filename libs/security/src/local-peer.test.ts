import { FaultCode } from "@daos/fault";
import { describe, expect, it } from "vitest";
import { checkLocalPeer, parseGroups } from "./local-peer.ts";

describe("checkLocalPeer", () => {
  const self = { uid: 1000, gid: 2000 };

  it.each([
    ["root", { uid: 0, gid: 0 }, [], true],
    ["the server's user", { uid: 1000, gid: 5 }, [], true],
    ["the server's group", { uid: 7, gid: 2000 }, [], true],
    ["a member of the server's group", { uid: 7, gid: 5 }, [4, 2000], true],
    ["root's group", { uid: 7, gid: 0 }, [0], false],
    ["anybody else", { uid: 7, gid: 5 }, [5, 20], false],
  ] as const)("%s", async (_, peer, groups, allowed) => {
    const fault = await checkLocalPeer({ ...peer, pid: 1 }, { self, groupsOf: async () => groups });
    expect(fault?.code).toBe(allowed ? undefined : FaultCode.notAuthorized);
  });

  it("refuses a process that has gone", async () => {
    const groupsOf = () => Promise.reject(new Error("ENOENT"));
    expect(await checkLocalPeer({ pid: 1, uid: 7, gid: 5 }, { self, groupsOf })).toBeDefined();
  });

  it.each([
    ["Name:\tdaos\nGroups:\t4 24 1000 \nNStgid:\t1\n", [4, 24, 1000]],
    ["Name:\tdaos\nGroups:\t \nNStgid:\t7\n", []],
    ["", []],
  ])("reads the groups in %j", (status, groups) => {
    expect(parseGroups(status)).toEqual(groups);
  });

  it("looks at real processes", async () => {
    const peer = { pid: process.pid, uid: 4294967294, gid: 4294967294 };
    expect(await checkLocalPeer(peer, { self: { uid: 1, gid: 4294967293 } })).toBeDefined();
  });
});
