import type { ReplicaRole } from "@daos/election";
import { silentLogger } from "@daos/log";
import { SqliteMemberStore } from "@daos/member-store";
import { describe, expect, it } from "vitest";
import type { MembersPort } from "./host-ports.ts";
import { openManagement } from "./management.ts";

const self = { host: "10.0.0.1", port: 10001 };

function managementOf(members: MembersPort, role: ReplicaRole) {
  return openManagement({
    accessPoints: [self],
    role,
    self,
    members,
    hasReplica: () => false,
    stopExcluded: undefined,
    log: silentLogger,
  });
}

const wait = { signal: new AbortController().signal };

describe("openManagement", () => {
  it.each(["storage", "etcd"] as const)(
    "checks the storage of the first engine on every host when the members are in %s, and fails with it",
    async (kind) => {
      for (const role of ["bootstrap", "replica", "none"] as const) {
        const seen: unknown[] = [];
        const check = async (...asked: unknown[]) => {
          seen.push(asked);
          throw new Error("the members are elsewhere");
        };
        const openElection = () => ({ accessPoints: [], run: async () => {} });
        const openStore = async () => new SqliteMemberStore(":memory:");
        const members = { kind, check, openElection, openStore } as MembersPort;
        const ready = managementOf(members, role).storageReady("/mnt/daos0", "uuid-0", wait);
        await expect(ready, role).rejects.toThrow("the members are elsewhere");
        expect(seen, role).toEqual([["/mnt/daos0", "uuid-0", wait]]);
      }
    },
  );

  it("leads while the storage of the first access point's first engine is there", async () => {
    const members: MembersPort = {
      kind: "storage",
      check: async () => {},
      openStore: async () => new SqliteMemberStore(":memory:"),
      lossesIn: async () => [],
    };
    const { leadership, storageReady, storageReleased } = managementOf(members, "bootstrap");
    const stop = new AbortController();
    const running = leadership.run(stop.signal);
    expect(leadership.leadsHere).toBe(false);
    await storageReady("/mnt/daos0", "uuid-0", wait);
    while (!leadership.leadsHere) await new Promise(setImmediate);
    await storageReleased();
    expect(leadership.leadsHere).toBe(false);
    stop.abort();
    await running;
  });
});
