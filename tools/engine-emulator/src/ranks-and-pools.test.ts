import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ManagementService } from "./engine-state.ts";
import { join } from "./join.ts";
import { freeSpace, type PoolRequest, planPool } from "./pools.ts";

const uuidOf = (n: number) => `00000000-0000-4000-8000-${n.toString(16).padStart(12, "0")}`;
const ANY = 4294967295;
const server = (rank: number, n = rank) => ({
  rank,
  uuid: uuidOf(n),
  uri: `uri-${n}`,
  nctxs: 3,
  addr: `addr-${n}`,
});
const service = (...ranks: number[]): ManagementService => ({
  leads: true,
  servers: ranks.map((rank) => server(rank)),
  pools: [],
});

describe("join", () => {
  it.each([
    ["the lowest free rank", service(0, 1, 3), server(ANY, 9), { status: 0, rank: 2 }],
    ["the rank it asks for", service(0), server(5, 9), { status: 0, rank: 5 }],
    ["EXIST for a taken rank", service(0, 1), server(1, 9), { status: -1004 }],
    ["its rank again", service(0, 1), server(ANY, 1), { status: 0, rank: 1 }],
    ["its rank when it asks for it", service(0, 1), server(1), { status: 0, rank: 1 }],
    ["PROTO for another rank than before", service(0, 1), server(2, 1), { status: -1014 }],
    ["INVAL for a bad uuid", service(0), { ...server(ANY), uuid: "x" }, { status: -1003 }],
  ])("join() returns %s", (_, ms, request, expected) => {
    expect(join(ms, request)).toMatchObject(expected);
  });

  it("join() changes only a new address when the same server joins again", () => {
    const ms = service(0, 1);
    expect(join(ms, server(1))).toMatchObject({ ms });
    const moved = join(ms, { ...server(1), uri: "new" });
    expect(moved.rank === undefined ? [] : moved.ms.servers.map(({ uri }) => uri)).toEqual(["uri-0", "new"]);
  });

  it("join() never assigns a rank twice", () => {
    const request = fc.record({ n: fc.nat(8), rank: fc.oneof(fc.constant(ANY), fc.nat(8)) });
    fc.assert(
      fc.property(fc.array(request, { maxLength: 40 }), (requests) => {
        let ms = service(0);
        const given = new Map<number, number>([[0, 0]]);
        for (const { n, rank } of requests) {
          const outcome = join(ms, { ...server(rank, n) });
          if (outcome.rank === undefined) continue;
          expect(given.get(n) ?? outcome.rank).toBe(outcome.rank);
          given.set(n, outcome.rank);
          ms = outcome.ms;
          const ranks = ms.servers.map((one) => one.rank);
          expect(ranks).toEqual([...new Set(ranks)].sort((a, b) => a - b));
        }
      }),
    );
  });
});

describe("planPool", () => {
  const capacity = { scm: 1000, nvme: 10_000 };
  const request: PoolRequest = {
    uuid: uuidOf(1),
    scmbytes: 400n,
    nvmebytes: 0n,
    ranks: [],
    numsvcreps: 1,
    user: "root@",
    usergroup: "root@",
    acl: [],
  };
  const pool = (n: number, scmBytes: number, nvmeBytes: number, ranks: number[]) => ({
    uuid: uuidOf(n),
    scmBytes,
    nvmeBytes,
    ranks,
    svcReps: [0],
    owner: "root@",
    ownerGroup: "root@",
    acl: [],
  });
  const used: ManagementService = {
    ...service(0, 1, 2),
    pools: [pool(8, 700, 0, [0, 1]), pool(9, 100, 9000, [1])],
  };

  it("planPool() uses all ranks and the default list when the request has none", () => {
    expect(planPool(service(0, 1, 2), capacity, request).pool).toMatchObject({
      ranks: [0, 1, 2],
      svcReps: [1],
      scmBytes: 400,
      acl: ["A::OWNER@:rw", "A:G:GROUP@:rw"],
      owner: "root@",
    });
  });

  it.each([
    ["replicas on all ranks but rank 0", service(0, 1, 2), { numsvcreps: 5 }, [1, 2]],
    ["one replica on two ranks, whatever is asked for", service(0, 1), { numsvcreps: 2 }, [0]],
    ["a replica on the only rank", service(0), { numsvcreps: 2 }, [0]],
    ["replicas on the ranks asked for", service(0, 1, 2), { ranks: [2, 1, 2], numsvcreps: 2 }, [1, 2]],
    ["a pool that just fits", used, { ranks: [0], scmbytes: 300n, nvmebytes: 10_000n }, [0]],
    ["a pool on a rank with room", used, { ranks: [2], scmbytes: 1000n }, [2]],
  ])("planPool() plans %s", (_, ms, change, svcReps) => {
    expect(planPool(ms, capacity, { ...request, ...change })).toMatchObject({ status: 0, pool: { svcReps } });
  });

  it.each([
    ["NOSPACE for one byte of SCM too much", used, { ranks: [0], scmbytes: 301n }, -1007],
    ["NOSPACE when one of the ranks is full", used, { ranks: [1, 2], scmbytes: 201n }, -1007],
    ["NOSPACE for too much NVMe", used, { ranks: [1], scmbytes: 1n, nvmebytes: 1001n }, -1007],
    ["NOSPACE for a size beyond all numbers", service(0), { scmbytes: 2n ** 64n - 1n }, -1007],
    ["EXIST for a uuid in use, in any case", used, { uuid: uuidOf(9).toUpperCase() }, -1004],
    ["OOG for a rank that has not joined", service(0), { ranks: [0, 7] }, -1019],
    ["OOG for a system without servers", service(), {}, -1019],
    ["INVAL for a bad uuid", service(0), { uuid: "1" }, -1003],
    ["INVAL for no SCM", service(0), { scmbytes: 0n }, -1003],
    ["INVAL for no replicas", service(0), { numsvcreps: 0 }, -1003],
    ["INVAL for a bad list", service(0), { acl: ["A::x:rw"] }, -1003],
  ])("planPool() returns %s", (_, ms, change, status) => {
    expect(planPool(ms, capacity, { ...request, ...change })).toEqual({ status });
  });

  it("planPool() never allocates more than the capacity", () => {
    const poolArbitrary = fc.record({
      scm: fc.bigInt(0n, 600n),
      nvme: fc.bigInt(0n, 6000n),
      ranks: fc.subarray([0, 1, 2]),
    });
    fc.assert(
      fc.property(fc.array(poolArbitrary, { maxLength: 30 }), (requests) => {
        let ms = service(0, 1, 2);
        requests.forEach(({ scm, nvme, ranks }, n) => {
          const outcome = planPool(ms, capacity, {
            ...request,
            uuid: uuidOf(n),
            scmbytes: scm,
            nvmebytes: nvme,
            ranks,
          });
          if (outcome.pool !== undefined) ms = { ...ms, pools: [...ms.pools, outcome.pool] };
        });
        for (const rank of [0, 1, 2]) {
          const here = ms.pools.filter((one) => one.ranks.includes(rank));
          const sum = here.reduce((total, one) => total + one.scmBytes, 0);
          expect(sum).toBeLessThanOrEqual(capacity.scm);
          expect(freeSpace(ms, capacity, rank).scm).toBe(capacity.scm - sum);
        }
      }),
    );
  });
});
