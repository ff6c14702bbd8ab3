import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Code, ConnectError } from "@connectrpc/connect";
import { type FakeCalls, FakeServer } from "@daos/control-client/testing";
import { Fault, FaultCode } from "@daos/fault";
import { formatHostAddress } from "@daos/hostlist";
import { silentLogger } from "@daos/log";
import { ctl } from "@daos/proto";
import { createGrpcServer } from "@daos/security";
import { inDays, TestAuthority, type TestCertificate, TestCertificateFiles } from "@daos/security/testing";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { at, runDmg } from "./testing/run-dmg.ts";

const open: FakeServer[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) {
    expect(server.unexpected).toEqual([]);
    await server[Symbol.asyncDispose]();
  }
});

async function fake(calls: FakeCalls): Promise<FakeServer> {
  const server = await FakeServer.start(calls);
  open.push(server);
  return server;
}

const GB = 1024n ** 3n;
const nothing = { scm: { state: {} }, nvme: { state: {} } };
const hardware = {
  scm: {
    modules: [
      { physicalid: 1, capacity: 502n * GB, loc: { socket: 0, memctrlr: 1, channel: 2, channelpos: 0 } },
      { physicalid: 2, capacity: 502n * GB, loc: { socket: 1, memctrlr: 0, channel: 1, channelpos: 1 } },
    ],
  },
  nvme: {
    ctrlrs: [
      {
        pciaddr: "0000:81:00.0",
        model: "INTEL SSDPED1K750GA",
        fwrev: "E2010325",
        socketid: 1,
        namespaces: [{ id: 1, size: 698 }],
        healthstats: { temp: 310, ctrlbusytime: 5n },
      },
    ],
  },
};

describe("storage scan", () => {
  it("dmg storage scan groups hosts with the same hardware", async () => {
    const servers = await Promise.all(
      [hardware, hardware, nothing].map((scan) => fake({ ctl: { storageScan: () => scan } })),
    );
    const run = await runDmg([...at(...servers.map(({ host }) => host)), "storage", "scan"]);
    const [a, b, c] = servers.map(({ host }) => formatHostAddress(host)) as [string, string, string];
    expect(run).toMatchObject({ status: 0, err: "" });
    expect(run.out.replace(/ +$/gm, "")).toContain("Hosts");
    const rows = run.out.split("\n").slice(2, 4).sort();
    expect(rows.some((row) => row.includes(c) && row.includes("0.00B (0 modules)"))).toBe(true);
    const full = rows.find((row) => row.includes("1004.00GB (2 modules)")) ?? "";
    expect(full).toContain("698.00GB (1 controller)");
    for (const port of [a, b].map((host) => host.split(":")[1])) expect(full).toContain(port);
  });

  it("dmg storage scan lists every device when -v is given", async () => {
    const { host } = await fake({ ctl: { storageScan: () => hardware } });
    const run = await runDmg([...at(host), "st", "s", "-v"]);
    const name = formatHostAddress(host);
    const line = "-".repeat(name.length);
    expect(run.out).toBe(`${line}
${name}
${line}
SCM Module ID  Socket ID  Memory Ctrlr ID  Channel ID  Channel Slot  Capacity
-------------  ---------  ---------------  ----------  ------------  --------
1              0          1                2           0             502.00GB
2              1          0                1           1             502.00GB

NVMe PCI      Model                FW Revision  Socket ID  Capacity
--------      -----                -----------  ---------  --------
0000:81:00.0  INTEL SSDPED1K750GA  E2010325     1          698.00GB
`);
  });

  it("dmg storage scan shows the size of a device below one GB, which is 0 on the wire", async () => {
    const [controller] = hardware.nvme.ctrlrs;
    const small = { ...controller, namespaces: [{ id: 1, size: 0 }] };
    const none = { ...controller, pciaddr: "0000:82:00.0", namespaces: [] };
    const exact = {
      ...controller,
      pciaddr: "0000:83:00.0",
      namespaces: [{ id: 1, size: 0, bytes: 2n ** 27n }],
    };
    const { host } = await fake({
      ctl: { storageScan: () => ({ ...nothing, nvme: { ctrlrs: [small, none, exact] } }) },
    });
    const { out } = await runDmg([...at(host), "storage", "scan", "-v"]);
    expect(out).toMatch(/^0000:81:00\.0 .* <1\.00GB$/m);
    expect(out).toMatch(/^0000:82:00\.0 .* 0\.00B$/m);
    expect(out).toMatch(/^0000:83:00\.0 .* 128\.00MB$/m);
  });

  it("dmg storage scan shows the modes of namespaces when an engine cannot use one of them", async () => {
    const pmem = (blockdev: string, mode: string) => ({
      blockdev,
      mode,
      dev: "namespace0.0",
      size: 2n ** 30n,
    });
    const scan = async (...pmems: ReturnType<typeof pmem>[]) => {
      const { host } = await fake({ ctl: { storageScan: () => ({ ...nothing, scm: { pmems } }) } });
      return (await runDmg([...at(host), "storage", "scan", "-v"])).out;
    };
    const mixed = await scan(pmem("pmem0", "fsdax"), pmem("pmem1", "raw"));
    expect(mixed).toMatch(/^pmem0 .* 1\.00GB +fsdax$/m);
    expect(mixed).toMatch(/^pmem1 .* 1\.00GB +raw$/m);
    expect(await scan(pmem("pmem0", "fsdax"))).not.toContain("Mode");
  });

  it("dmg storage scan shows the engine of a configured controller without namespaces", async () => {
    const [controller] = hardware.nvme.ctrlrs;
    const ctrlrs = [
      { ...controller, namespaces: [], engine: 1 },
      { ...controller, pciaddr: "0000:82:00.0", namespaces: [{ id: 1, size: 5, engine: 0 }] },
      { ...controller, pciaddr: "0000:83:00.0", namespaces: [] },
    ];
    const { host } = await fake({ ctl: { storageScan: () => ({ ...nothing, nvme: { ctrlrs } }) } });
    const { out } = await runDmg([...at(host), "storage", "scan", "-v"]);
    expect(out.match(/^0000:8.* (\S+)$/gm)?.map((line) => line.split(/\s+/).at(-1))).toEqual(["1", "0", "-"]);
  });

  it("dmg storage scan fails in part when one host or one part fails", async () => {
    const good = await fake({ ctl: { storageScan: () => nothing } });
    const partial = await fake({
      ctl: {
        storageScan: () => ({
          ...nothing,
          nvme: { state: { status: -2, error: "no SPDK", info: "run prepare" } },
        }),
      },
    });
    const run = await runDmg([...at(good.host, partial.host), "--json", "storage", "scan"]);
    expect(run).toMatchObject({ status: 6, err: "" });
    expect(run.json()).toMatchObject({
      status: 6,
      result: { hosts: [{}, {}] },
      errors: [
        { hosts: [formatHostAddress(partial.host)], domain: "bdev", code: 308, resolution: "run prepare" },
      ],
    });
  });
});

describe("storage format", () => {
  it("dmg storage format reports the formatted hosts and the failed hosts", async () => {
    const calls: boolean[] = [];
    const good = await fake({
      ctl: {
        async *storageFormatWatch({ reformat }) {
          calls.push(reformat);
          const mrets = [{ mntpoint: "/mnt/daos", state: {} }];
          const crets = [{ pciaddr: "0000:81:00.0", state: {} }];
          yield { event: { case: "results", value: { mrets, crets } } };
        },
      },
    });
    const bad = await fake({
      ctl: {
        // biome-ignore lint/correctness/useYield: it fails before the first answer
        async *storageFormatWatch() {
          throw new Fault({
            domain: "storage",
            code: FaultCode.storageAlreadyFormatted,
            description: "format SCM at /mnt/daos",
            reason: "it is formatted",
            resolution: "use --reformat",
          });
        },
      },
    });
    const run = await runDmg([...at(good.host, bad.host), "storage", "format", "--reformat"]);
    expect(run.status).toBe(6);
    expect(run.out).toBe(`${formatHostAddress(good.host)}: storage format ok\n`);
    expect(run.err).toBe(
      `dmg: ${formatHostAddress(bad.host)}: format SCM at /mnt/daos: it is formatted (storage 103)\n  use --reformat\n`,
    );
    expect(calls).toEqual([true]);
    const verbose = await runDmg([...at(good.host), "st", "f", "-v"]);
    expect(verbose.out).toContain(
      "SCM Mount  Format Result\n---------  -------------\n/mnt/daos  CTL_SUCCESS\n",
    );
  });

  it("dmg storage format names the formatted and the failed parts when one engine of a host was formatted and another runs", async () => {
    const running = { status: -4, error: "engine 1 runs", info: "stop it first" };
    const { host } = await fake({
      ctl: {
        async *storageFormatWatch() {
          const mrets = [
            { mntpoint: "/mnt/daos0", state: {} },
            { mntpoint: "/mnt/daos1", state: running },
          ];
          yield { event: { case: "results", value: { mrets, crets: [{ pciaddr: "81:00.0", state: {} }] } } };
        },
      },
    });
    const run = await runDmg([...at(host), "storage", "format"]);
    expect(run.status).toBe(6);
    expect(run.out).toBe(
      `${formatHostAddress(host)}: storage format ok for /mnt/daos0, 81:00.0; failed for /mnt/daos1\n`,
    );
    expect(run.err).toContain("engine 1 runs");
  });

  it("dmg storage format --replace is refused with the reason, and calls no host", async () => {
    const { host } = await fake({});
    const run = await runDmg([...at(host), "storage", "format", "--replace"]);
    expect(run).toMatchObject({ status: 8, out: "" });
    expect(run.err).toContain("DER_EXIST");
    expect(run.err).toContain("dmg system erase");
  });
});

describe("storage burn-in", () => {
  it("dmg storage burn-in shows the devices' progress, and cancels on the server on Ctrl-C", async () => {
    const abort = new AbortController();
    const cancelled = Promise.withResolvers<void>();
    const server = await fake({
      ctl: {
        async *storageBurnIn({ devices, seconds }, { signal }) {
          expect({ devices, seconds }).toEqual({ devices: ["81:00.0", "82:00.0"], seconds: 5400 });
          signal.addEventListener("abort", () => cancelled.resolve(), { once: true });
          const value = { device: "0000:81:00.0", step: "write", fraction: 0.25, remainingMs: 60_000n };
          yield { event: { case: "progress", value } };
          await cancelled.promise;
        },
      },
    });
    const words = ["storage", "burn-in", "-f", "-d", "81:00.0,82:00.0", "--duration", "90m"];
    const run = await runDmg([...at(server.host), ...words], {
      signal: abort.signal,
      interactive: true,
      // The progress is drawn after one second, and then repeatedly.
      onErr: (text) => {
        if (text.includes("25%")) abort.abort(new Error("Ctrl-C"));
      },
    });
    await cancelled.promise;
    expect(run.err).toMatch(
      /storage burn-in: \[#{5}\.{15}\] 0:(?!00)\d\d, 25%, 0\/1 devices, about 1:00 left/,
    );
    expect(run.status).toBe(130);
  });

  it.each(["0s", "91m", "2h", "soon", "1.5m", "-5s"])(
    "dmg storage burn-in refuses a duration of %s",
    async (duration) => {
      const run = await runDmg(["-i", "storage", "burn-in", "-f", `--duration=${duration}`]);
      expect(run.status).toBe(2);
      expect(run.err).toContain("--duration");
    },
  );
});

describe("system", () => {
  it("dmg system lists members, leader and pools", async () => {
    const { host } = await fake({
      ctl: {
        systemMemberQuery: () => ({
          members: [
            { rank: 1, uuid: "b", addr: "10.0.0.2:10001" },
            { rank: 0, uuid: "a", addr: "10.0.0.1:10001" },
          ],
        }),
      },
      mgmt: {
        leaderQuery: ({ system }) => ({ currentLeader: `${system}:1`, replicas: ["a:1", "b:1"] }),
        listPools: () => ({ pools: [{ uuid: "p", svcreps: [0, 1, 2] }] }),
      },
    });
    expect((await runDmg([...at(host), "sy", "q"])).out).toBe(
      "Rank  UUID  Control Address\n----  ----  ---------------\n0     a     10.0.0.1:10001\n1     b     10.0.0.2:10001\n",
    );
    expect((await runDmg([...at(host), "system", "leader-query"])).out).toBe(
      "Current Leader: daos_server:1\n   Replica Set: a:1, b:1\n",
    );
    expect((await runDmg([...at(host), "sy", "p"])).out).toBe(
      "Pool UUID  Svc Replicas\n---------  ------------\np          0-2\n",
    );
    expect((await runDmg([...at(host), "sy", "p", "-j"])).json().result).toEqual({
      pools: [
        {
          uuid: "p",
          svcReplicas: [0, 1, 2],
          label: "",
          state: "unknown",
          scmBytes: null,
          nvmeBytes: null,
          ranks: [],
          user: "",
          group: "",
          createdAt: null,
          createdBy: "",
          note: "",
        },
      ],
      outage: "",
    });
  });
});

describe("system actions", () => {
  const silent = (rank: number) => ({
    domain: "system",
    code: 813,
    description: `stop rank ${rank} on h${rank}:1`,
    reason: "silent",
    resolution: `look at h${rank}:1`,
  });

  it("dmg system stop shows each cause once, with its ranks and hosts", async () => {
    const refused = { ...silent(7), reason: "busy", resolution: "wait" };
    const { host } = await fake({
      ctl: {
        systemStopMembers: () => ({
          results: [
            { rank: 0, addr: "h0:1", action: "stop", fault: silent(0) },
            { rank: 1, addr: "h1:1", action: "stop" },
            { rank: 2, addr: "h2:1", action: "prep shutdown", fault: silent(2) },
            { rank: 7, addr: "h7:1", action: "stop", fault: refused },
          ],
        }),
      },
    });
    const run = await runDmg([...at(host), "system", "stop"]);
    expect(run.status).toBe(6);
    expect(run.err).toBe(
      "dmg: ranks 0,2 (h[0,2]:1): system stop: silent (system 813)\n  look at h0:1\n" +
        "dmg: rank 7 (h7:1): stop rank 7 on h7:1: busy (system 813)\n  wait\n",
    );
    const { errors } = (await runDmg([...at(host), "-j", "system", "stop"])).json();
    expect(errors).toMatchObject([
      { hosts: ["h0:1", "h2:1"], ranks: [0, 2], code: 813 },
      { hosts: ["h7:1"], ranks: [7] },
    ]);
  });

  it("dmg system stop gives hosts without a port the port of -l, and names the searched address", async () => {
    const asked: (readonly string[])[] = [];
    const server = await fake({
      ctl: {
        systemStopMembers: ({ selection }) => {
          const hosts = selection?.hosts ?? [];
          asked.push(hosts);
          return { results: [], missingHosts: hosts };
        },
      },
    });
    const { port } = server.host;
    const flags = [
      "system",
      "stop",
      "--rank-hosts",
      "127.0.0.1,127.0.0.2",
      "--rank-hosts",
      "127.0.0.3:10001",
    ];
    const run = await runDmg([...at(server.host), ...flags]);
    expect(asked).toEqual([[`127.0.0.1:${port}`, `127.0.0.2:${port}`, "127.0.0.3:10001"]]);
    expect(run.err).toContain(`no member of the system is on 127.0.0.3:10001,127.0.0.[1-2]:${port}`);
    // Hosts with different ports give no default port.
    await runDmg([...at(server.host), "-l", "127.0.0.1:1", ...flags]);
    expect(asked[1]).toEqual(["127.0.0.1:10001", "127.0.0.2:10001", "127.0.0.3:10001"]);
  });

  it("dmg system stop refuses when a server of release 0.8.0 would stop more than the selected members", async () => {
    const server = await fake({
      ctl: {
        systemStopMembers: () => {
          throw new ConnectError("unknown method", Code.Unimplemented);
        },
        systemStop: () => ({
          results: [
            { id: "10.0.0.1:10001/1d7b60a3-a812-4817-9dcf-bc8f9757a75f/0", action: "stop" },
            { id: "rank 1", action: "stop", errored: true, msg: "no" },
            { id: "10.0.0.2:10001/5f1b7a4e-9c2d-4e8f-a1b3-6d7c8e9f0a1b/2", action: "stop" },
          ],
        }),
      },
    });
    const part = await runDmg([...at(server.host), "system", "stop", "--ranks", "0"]);
    expect(part).toMatchObject({ status: 8, out: "" });
    expect(part.err).toContain("the server's release cannot do that");
    expect(server.calls).toEqual(["MgmtCtl/SystemStopMembers"]);
    const all = await runDmg([...at(server.host), "system", "stop"]);
    expect(all).toMatchObject({
      status: 6,
      out: expect.stringMatching(/^0,2 +10\.0\.0\.\[1-2\] +stop +OK$/m),
      err: expect.stringContaining("stop of rank 1: no (system 704)"),
    });
  });

  it("dmg system erase asks for consent, and sends force only when --lost is given", async () => {
    const forces: boolean[] = [];
    const { host } = await fake({
      ctl: {
        systemErase: ({ force }) => {
          forces.push(force);
          return {};
        },
      },
    });
    const erase = [...at(host), "system", "erase", "--ranks", "1-2"];
    const questions: string[] = [];
    const answer = (text: string) => async (question: string) => {
      questions.push(question);
      return text;
    };
    expect(await runDmg(erase, { ask: answer("no") })).toMatchObject({ status: 130, out: "" });
    expect(forces).toEqual([]);
    expect(await runDmg(erase, { ask: answer("yes") })).toMatchObject({ status: 0 });
    expect(await runDmg([...erase, "--force"])).toMatchObject({ status: 0 });
    expect(await runDmg([...erase, "--force", "--lost"])).toMatchObject({ status: 0 });
    // `force` on the wire forgets a lost host.
    expect(forces).toEqual([false, false, true]);
    expect(questions[0]).toContain("This erases ranks 1-2");
  });

  it("dmg asks for consent on a terminal, not in a script, before it stops the whole system or destroys a pool", async () => {
    let done: string[] = [];
    const record = (name: string) => () => {
      done.push(name);
      return {};
    };
    const { host } = await fake({
      ctl: { systemStopMembers: record("stop") },
      mgmt: { poolDestroy: record("destroy") },
    });
    const stop = [...at(host), "system", "stop"];
    const destroy = [...at(host), "pool", "destroy", "--pool", "5f1b7a4e-9c2d-4e8f-a1b3-6d7c8e9f0a1b"];
    const questions: string[] = [];
    const answer = (text: string) => async (question: string) => {
      questions.push(question);
      return text;
    };
    for (const [command, name, force] of [
      [stop, "stop", ["--force"]],
      [destroy, "destroy", ["-f"]],
    ] as const) {
      done = [];
      const refused = await runDmg(command, { ask: answer("no") });
      expect(refused).toMatchObject({ status: 130, out: "" });
      expect(refused.err).not.toContain("--force");
      expect(done).toEqual([]);
      await runDmg(command, { ask: answer("yes") });
      await runDmg([...command, ...force], { ask: answer("no") });
      await runDmg(command);
      expect(done).toEqual([name, name, name]);
    }
    expect(questions).toHaveLength(4);
    await runDmg([...stop, "--ranks", "1"], { ask: answer("no") });
    expect(questions).toHaveLength(4);
  });

  it("dmg system exclude asks for consent on a terminal before it excludes the only rank with the management service", async () => {
    const member = (rank: number, engineNumber: number) => ({
      rank,
      addr: "127.0.0.9:10001",
      engineNumber,
      state: ctl.MemberState.MEMBER_JOINED,
    });
    const server = await fake({
      ctl: {
        systemQuery: () => ({ members: [member(0, 1), member(1, 2)] }),
        systemExclude: () => ({}),
      },
      mgmt: { leaderQuery: () => ({ currentLeader: "", replicas: ["127.0.0.9:10001"] }) },
    });
    const exclude = (ranks: string) => [...at(server.host), "system", "exclude", "--ranks", ranks];
    const questions: string[] = [];
    const ask = async (question: string) => {
      questions.push(question);
      return "no";
    };
    const excluded = () => server.calls.filter((call) => call.endsWith("/SystemExclude")).length;
    expect(await runDmg(exclude("0"), { ask })).toMatchObject({ status: 130, out: "" });
    expect(questions).toEqual([
      expect.stringMatching(/^Rank 0 is the only one that has the management service/),
    ]);
    expect(excluded()).toBe(0);
    await runDmg(exclude("1"), { ask });
    await runDmg([...exclude("0"), "--force"], { ask });
    expect(excluded()).toBe(2);
    const before = server.calls.length;
    await runDmg(exclude("0"));
    expect(server.calls.slice(before)).toEqual(["MgmtCtl/SystemExclude"]);
    expect(questions).toHaveLength(1);
  });

  it("dmg system events prints one line per event until Ctrl-C", async () => {
    const { host } = await fake({
      ctl: {
        async *systemEvents(_, { signal }) {
          yield {
            number: 1n,
            time: 1_000n,
            kind: "engine_died",
            severity: "error",
            message: "ended",
            rank: 3,
          };
          await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
        },
      },
    });
    for (const flags of [[], ["--json"]]) {
      const abort = new AbortController();
      const run = await runDmg([...at(host), ...flags, "system", "events", "--follow"], {
        signal: abort.signal,
        onOut: () => abort.abort(),
      });
      expect(run).toMatchObject({ status: 0, err: "" });
      if (flags.length === 0)
        expect(run.out).toBe("1970-01-01T00:00:01Z ERROR   engine_died: ended rank=3\n");
      else expect(run.json()).toMatchObject({ number: 1, kind: "engine_died", rank: 3 });
      expect(run.out.trim().split("\n")).toHaveLength(1);
    }
  });
});

describe("pool", () => {
  it("dmg pool create sends ranks in the given order and names with blanks, and treats empty values as the default", async () => {
    const seen: unknown[] = [];
    const { host } = await fake({
      ctl: { systemMemberQuery: () => ({ members: [0, 2, 3, 7].map((rank) => ({ rank, addr: "a:1" })) }) },
      mgmt: {
        poolCreate: ({ ranks, user, usergroup }) => {
          seen.push({ ranks, user, usergroup });
          return { svcreps: [0] };
        },
      },
    });
    const create = [...at(host), "pool", "create", "-s", "1G"];
    const blanks = await runDmg([...create, "-r", "7,2-3,0", "-u", "ana maria", "-g", "domain users@"]);
    const plain = await runDmg(create);
    const empty = await runDmg([...create, "-r", "", "-u", "", "-g", ""]);
    expect([blanks.status, plain.status, empty.status]).toEqual([0, 0, 0]);
    expect(seen[0]).toEqual({ ranks: [7, 2, 3, 0], user: "ana maria@", usergroup: "domain users@" });
    expect(seen[2]).toEqual(seen[1]);
    expect(seen[1]).toMatchObject({ ranks: [], user: expect.stringMatching(/^[^@]+@$/) });
  });

  it("dmg pool create sends the values of the flags, and dmg pool destroy sends the uuid", async () => {
    const seen: unknown[] = [];
    const { host } = await fake({
      ctl: {
        systemMemberQuery: () => ({
          members: [0, 1, 2, 5].map((rank) => ({ rank, uuid: "u", addr: "a:1" })),
        }),
      },
      mgmt: {
        poolCreate: ({ uuid, scmbytes, nvmebytes, ranks, numsvcreps, user, usergroup, sys, acl }) => {
          seen.push({ uuid, scmbytes, nvmebytes, ranks, numsvcreps, user, usergroup, sys, acl });
          return { svcreps: [0, 1, 2] };
        },
        poolDestroy: ({ uuid, force }) => {
          seen.push({ uuid, force });
          return {};
        },
      },
    });
    const flags = [
      "-s",
      "1G",
      "-n",
      "1T",
      "-r",
      "0-2,5",
      "-v",
      "3",
      "-u",
      "ana",
      "-g",
      "physics@",
      "-S",
      "sys1",
    ];
    const run = await runDmg([...at(host), "p", "c", ...flags]);
    const uuid = /^Pool UUID: ([\da-f-]{36}), Service replicas: 0-2\n$/.exec(run.out)?.[1] ?? "";
    expect(run.status).toBe(0);
    expect(run.err).toBe(
      "dmg: warning: 1.00GB of SCM is less than 1 % of 1.00TB of NVMe: the pool may be slow\n",
    );
    const destroyed = await runDmg([...at(host), "pool", "destroy", "--pool", uuid.toUpperCase(), "-f"]);
    expect(destroyed.out).toBe(`Pool ${uuid} destroyed\n`);
    expect(seen).toEqual([
      {
        uuid,
        scmbytes: GB,
        nvmebytes: 1024n * GB,
        ranks: [0, 1, 2, 5],
        numsvcreps: 3,
        user: "ana@",
        usergroup: "physics@",
        sys: "sys1",
        acl: [],
      },
      { uuid, force: true },
    ]);
  });

  it("dmg pool create makes the calling user the owner by default", async () => {
    const owners: string[] = [];
    const { host } = await fake({
      mgmt: {
        poolCreate: ({ user, usergroup }) => {
          owners.push(user, usergroup);
          return {};
        },
      },
    });
    await runDmg([...at(host), "pool", "create", "-s", "256M"]);
    expect(owners).toHaveLength(2);
    for (const owner of owners) expect(owner).toMatch(/^[^@]+@$/);
  });

  it("dmg pool create computes a share from the smallest rank, and queries each host for its size", async () => {
    const sizes: unknown[] = [];
    const usageOf = (rank: number, scm: bigint, nvme: bigint) => ({
      ctl: {
        storageUsage: () => ({ engines: [{ index: 0, rank, scmTotal: scm, nvmeTotal: nvme }] }),
      },
    });
    const small = await fake(usageOf(1, 8n * GB, 100n * GB));
    const large = await fake(usageOf(2, 80n * GB, 1000n * GB));
    const dead = { host: "127.0.0.1", port: 1 };
    const members = [small.host, large.host, dead].map((host, at) => ({
      rank: at + 1,
      uuid: "u",
      addr: formatHostAddress(host),
    }));
    const leader = await fake({
      ctl: { systemMemberQuery: () => ({ members }) },
      mgmt: {
        poolCreate: ({ scmbytes, nvmebytes }) => {
          sizes.push([scmbytes, nvmebytes]);
          return { svcreps: [1] };
        },
      },
    });
    const create = (...flags: string[]) => runDmg([...at(leader.host), "pool", "create", ...flags]);
    const both = await create("-s", "50%", "-n", "10%", "-r", "1-2");
    expect(both).toMatchObject({
      status: 0,
      err: "dmg: per rank: 4.00GB of SCM, 10.00GB of NVMe\n",
    });
    await create("-s", "50%", "-n", "10%", "-r", "2");
    expect(sizes).toEqual([
      [4n * GB, 10n * GB],
      [40n * GB, 100n * GB],
    ]);
    expect(await create("-s", "10%")).toMatchObject({ status: 4, out: "" });
    const missing = await create("-s", "10%", "-r", "1,9");
    expect(missing).toMatchObject({ status: 8, err: expect.stringContaining("the system has no rank 9") });
    expect(sizes).toHaveLength(2);
  });

  it("dmg pool create refuses unknown ranks, and reports missing replicas", async () => {
    const { host } = await fake({
      // The list of an original server leaves out the rank that bootstrapped the system: the server decides.
      ctl: { systemMemberQuery: () => ({ members: [] }) },
      mgmt: {
        poolCreate: ({ ranks }) => {
          if (ranks.includes(5))
            throw new Fault({
              domain: "system",
              code: FaultCode.memberUnknown,
              description: "the system has no rank 5",
              resolution: "list the ranks with: dmg system query",
            });
          return { svcreps: [0] };
        },
      },
    });
    const create = (...flags: string[]) => runDmg([...at(host), "pool", "create", "-s", "1G", ...flags]);
    const nowhere = await create("-r", "0,5");
    expect(nowhere).toMatchObject({ status: 8, err: expect.stringContaining("the system has no rank 5") });
    const fewer = await create("-r", "0", "-v", "3");
    expect(fewer).toMatchObject({
      status: 0,
      err: "dmg: warning: the pool has 1 service replica, 3 were asked for\n",
    });
  });

  it("dmg pool create fails with the meaning of the data plane's status", async () => {
    const { host } = await fake({ mgmt: { poolCreate: () => ({ status: -1007 }) } });
    const run = await runDmg([...at(host), "pool", "create", "-s", "1P"]);
    expect(run.status).toBe(8);
    expect(run.out).toBe("");
    expect(run.err).toMatch(
      /^dmg: cannot create pool [\da-f-]{36}: no space left on the storage target \(DER_NOSPACE, -1007\)/,
    );
  });
});

describe("connections with certificates", () => {
  const files = new TestCertificateFiles();
  afterAll(() => files[Symbol.dispose]());
  const authority = new TestAuthority();

  /** A configuration file for dmg with this certificate. */
  function configFile(name: string, certificate: TestCertificate): string {
    const { caCert, cert, key } = files.transport(name, authority.pem, certificate);
    const paths = `  ca_cert: ${caCert}\n  cert: ${cert}\n  key: ${key}\n`;
    return files.write(`${name}.yml`, `name: daos_server\ntransport_config:\n${paths}`);
  }

  async function secureServer(): Promise<FakeServer> {
    const transport = files.transport("server", authority.pem, authority.issue("server"));
    const server = await FakeServer.start(
      { ctl: { systemMemberQuery: () => ({ members: [] }) } },
      async (handler) => (await createGrpcServer({ transport, log: silentLogger, handler })).server,
    );
    open.push(server);
    return server;
  }

  it("dmg connects with the certificate of an administrator", async () => {
    const { host } = await secureServer();
    const config = configFile("admin", authority.issue("admin"));
    const run = await runDmg(["-o", config, "-l", formatHostAddress(host), "sy", "q"]);
    expect(run).toMatchObject({ status: 0, out: "The system has no members\n", err: "" });
  });

  it("dmg warns on stderr only when a certificate expires within 30 days", async () => {
    const soon = { notAfter: inDays(12.5) };
    const transport = files.transport("old", authority.pem, authority.issue("server", soon));
    const servers = await Promise.all(
      [0, 1].map(() =>
        FakeServer.start(
          { ctl: { storageScan: () => nothing, systemMemberQuery: () => ({ members: [] }) } },
          async (handler) => (await createGrpcServer({ transport, log: silentLogger, handler })).server,
        ),
      ),
    );
    open.push(...servers);
    const hosts = servers.map(({ host }) => formatHostAddress(host)).join(",");
    const good = configFile("good", authority.issue("admin"));
    const scan = await runDmg(["-o", good, "-l", hosts, "storage", "scan"]);
    expect(scan.status).toBe(0);
    expect(scan.err).toMatch(
      /^dmg: warning: the certificate of daos-server on 127\.0\.0\.1:\d+,127\.0\.0\.1:\d+ expires in 12 days, on .*; renew it with .*\n$/,
    );
    const expiring = configFile("expiring", authority.issue("admin", { notAfter: inDays(1.5) }));
    const query = await runDmg(["-o", expiring, "-l", hosts, "sy", "q"]);
    expect(query).toMatchObject({ status: 0, out: "The system has no members\n" });
    expect(query.err.trim().split("\n")).toEqual([
      expect.stringMatching(/warning: the certificate \S+expiring\S* \(.*CN=admin\) expires in 1 day, on/),
      expect.stringContaining("warning: the certificate of daos-server on"),
    ]);
    for (const flag of ["--json", "--quiet"]) {
      const run = await runDmg([flag, "-o", expiring, "-l", hosts, "sy", "q"]);
      expect(run).toMatchObject({ status: 0, err: "" });
    }
  });

  it("dmg names the certificate that cannot be used", async () => {
    const { host } = await secureServer();
    const at = ["-l", formatHostAddress(host), "sy", "q"];
    const agent = configFile("agent", authority.issue("agent"));
    expect(await runDmg(["-o", agent, ...at])).toMatchObject({ status: 5 });
    const stranger = configFile("stranger", new TestAuthority().issue("admin"));
    expect(await runDmg(["-o", stranger, ...at])).toMatchObject({ status: 5 });
    const missing = files.write("missing.yml", "transport_config:\n  cert: /no/such/admin.crt\n");
    const run = await runDmg(["-o", missing, ...at]);
    expect(run.status).toBe(5);
    expect(run.err).toMatch(/^dmg: .*\n {2}\S/);
  });

  it("dmg advises on certificates when only one side uses them", async () => {
    const { host } = await secureServer();
    const plain = await runDmg(["-i", "-l", formatHostAddress(host), "sy", "q"]);
    expect(plain.status).toBe(5);
    expect(plain.err).toContain("leave out -i");
    const h2c = await fake({});
    const config = configFile("admin", authority.issue("admin"));
    const tls = await runDmg(["-o", config, "-l", formatHostAddress(h2c.host), "sy", "q"]);
    expect(tls.status).toBe(5);
    expect(tls.err).toContain("-i");
  });
});

const UUID = "55555555-1111-4222-8333-444444444444";
describe("a wrong command line", () => {
  it.each([
    [["sotrage", "scan"], 2, 'did you mean "dmg storage"'],
    [["storage", "scna"], 2, 'did you mean "dmg storage scan"'],
    [["storage", "scan", "--jsn"], 2, "did you mean --json"],
    [["--hostlist", "a", "storage", "scan"], 2, "did you mean --host-list"],
    [["-l", "node[1-", "-i", "storage", "scan"], 2, "brackets do not match"],
    [["-l"], 2, "-l needs a value"],
    [["storage", "scan", "extra"], 2, "takes no arguments"],
    [["storage", "scan", "--timeout", "soon"], 2, "--timeout soon is not a time"],
    [["pool", "create"], 2, "--scm-size or --size is missing"],
    [["pool", "create", "-s", "0"], 2, "--scm-size is 0"],
    [["pool", "create", "-s", "256"], 2, "--scm-size 256 is 256 bytes, and a pool needs 1 MiB or more"],
    [["pool", "create", "-s", "1G", "-n", "500K"], 2, "--nvme-size 500K is 512000 bytes"],
    [["pool", "create", "-s", "-1G"], 2, ""],
    [["pool", "create", "-s", "110%"], 2, "at most 100 %"],
    [["pool", "create", "-s", "1G", "-n", "0%"], 2, "more than 0 %"],
    [["server", "set-logmasks"], 2, "--masks is missing"],
    [["server", "set-logmasks", "--masks", ""], 2, '--masks "" is not a level'],
    [["system", "stop", "--ranks", "x"], 2, "neither a rank nor a range"],
    [["system", "clear-exclude"], 2, "no ranks to let back in"],
    [["pool", "create", "-s", "1X"], 2, '"1X" is not a size'],
    [["pool", "create", "-s", "1G", "-r", "3-1"], 2, "ends before it starts"],
    [["pool", "create", "-s", "1G", "-v", "14"], 2, "13"],
    [["pool", "create", "-s", "1G", "-u", "a:b"], 2, "cannot be a user"],
    [["pool", "create", "-s", "1G", "-a", "/no/such/file"], 2, "cannot be read"],
    [["pool", "overwrite-acl", "--pool", UUID, "-a", "/dev/null"], 2, "the ACL file /dev/null has no entry"],
    [["pool", "destroy", "--pool", " "], 2, "--pool is empty"],
    [["pool", "create", "-z", "1T", "-s", "1G"], 2, "exclude each other"],
    [["pool", "create", "-z", "10%", "-t", "6"], 2, "not for a percentage"],
    [["pool", "create", "-s", "1G", "-t", "6"], 2, "for --size only"],
    [["pool", "create", "-z", "1T", "-n", "1G"], 2, "exclude each other"],
    [["pool", "create", "-z", "1T", "-t", "6,93"], 2, "--tier-ratio 6,93 cannot be used"],
    [["pool", "create", "-s", "1G", "-k", "2", "-r", "0"], 2, "exclude each other"],
    [["pool", "create", "-s", "1G", "--label", "a/b"], 2, "cannot be the label"],
    [["-o", "/no/such/file", "storage", "scan"], 3, "no configuration file"],
    [["-i", "-f", "/no/such/file", "storage", "scan"], 3, "the host file /no/such/file cannot be read"],
    [["-i", "-l", "127.0.0.1:1", "sy", "q"], 4, "connection refused"],
  ])("dmg refuses %j before it sends anything", async (argv, status, text) => {
    const run = await runDmg(argv);
    expect(run).toMatchObject({ status, out: "" });
    expect(run.err).toContain(text);
    expect(run.err).toMatch(/^dmg: .*\n {2}\S/);
    const json = await runDmg(["--json", ...argv]);
    expect(json.status).toBe(status);
  });

  it.each([
    [["--json", "storage", "scna"], "there is no command"],
    [["--format", "json", "sytem"], "there is no command"],
    [["sytem", "--format=json"], "there is no command"],
    [["system", "--json"], '"dmg system" is not a complete command'],
    [["pool", "-j"], '"dmg pool" is not a complete command'],
    [["--json"], "no command is named"],
  ])("dmg refuses in JSON: %j", async (argv, description) => {
    const run = await runDmg(argv);
    expect(run).toMatchObject({ status: 2, err: "" });
    const errors = [{ code: 2, hosts: [], description: expect.stringContaining(description) }];
    expect(run.json()).toMatchObject({ status: 2, result: null, errors });
  });

  it("dmg --help prints text also with --json, and accepts -j as a flag's value", async () => {
    expect(await runDmg(["system", "--json", "--help"])).toMatchObject({ status: 0, err: "" });
    expect((await runDmg(["-ljhost", "sytem"])).err).toContain("there is no command");
  });
});

describe("explain", () => {
  it("dmg explain accepts a data-plane status as messages print it", async () => {
    expect(await runDmg(["explain", "-1007"])).toMatchObject({
      status: 0,
      out: expect.stringContaining("DER_NOSPACE"),
    });
  });
});

describe("a host file", () => {
  const files = new TestCertificateFiles();
  afterAll(() => files[Symbol.dispose]());

  it.each([
    ["only-comments", "# node1\n\n", " names no host"],
    [
      "wrong",
      "# all\nnode[1-2],\nnode[3-\n",
      ':3: the host list "node[3-" cannot be read: its brackets do not',
    ],
  ])("dmg names the host file when it is %s", async (name, text, message) => {
    const path = files.write(name, text);
    const run = await runDmg(["-i", "-f", path, "storage", "scan"]);
    expect(run).toMatchObject({ status: 2, out: "" });
    expect(run.err).toContain(`${path}${message}`);
  });
});

describe("version", () => {
  it("dmg prints its version for the command and for the flag", async () => {
    expect((await runDmg(["version"])).out).toMatch(/^dmg version \d+\.\d+\.\d+\n$/);
    expect((await runDmg(["--version"])).out).toMatch(/^dmg version/);
  });
});

describe("server-version", () => {
  const running = { name: "daos-server", version: "9.9.9", release: "0.8.0", runtime: "Node.js 24.10.1" };

  it("dmg version --servers queries every host of the members, and names failed hosts", async () => {
    const member = await fake({ ctl: { serverVersion: () => running } });
    const silent = await fake({
      ctl: {
        serverVersion: () => {
          throw new ConnectError("as release 0.8.0", Code.Unimplemented);
        },
      },
    });
    const members = [member, silent].map(({ host }, rank) => ({
      rank,
      uuid: `7c3bd1e4-7a37-4fdb-9a7b-2c5f8e6b9d1${rank}`,
      addr: formatHostAddress(host),
    }));
    const leader = await fake({
      ctl: { serverVersion: () => running, systemMemberQuery: () => ({ members }) },
    });
    const directory = await mkdtemp(join(tmpdir(), "daos-dmg-"));
    const config = join(directory, "daos.yml");
    await writeFile(config, `name: daos_server\nhostlist: ["${formatHostAddress(leader.host)}"]\n`);
    const run = await runDmg(["-i", "-o", config, "version", "--servers", "--json"]);
    await rm(directory, { recursive: true });
    const { result, errors } = run.json() as unknown as {
      result: { hosts: { host: string; version: string }[]; mixed: boolean };
      errors: { hosts: string[]; code: number }[];
    };
    expect(result.mixed).toBe(false);
    expect(result.hosts.map(({ host }) => host).toSorted()).toEqual(
      [member, leader].map(({ host }) => formatHostAddress(host)).toSorted(),
    );
    expect(errors).toMatchObject([
      { hosts: [formatHostAddress(silent.host)], code: FaultCode.requestUnsupported },
    ]);
    expect(run.status).not.toBe(0);
  });

  it("dmg server-version warns when the servers differ, and when only dmg differs", async () => {
    const [a, b] = [
      await fake({ ctl: { serverVersion: () => running } }),
      await fake({ ctl: { serverVersion: () => ({ ...running, version: "9.9.8" }) } }),
    ];
    const mixed = await runDmg([...at(a.host, b.host), "server-version"]);
    expect(mixed.err).toContain("the servers run different versions");
    const same = await runDmg([...at(a.host), "server-version"]);
    expect(same.err).toMatch(/dmg is \d+\.\d+\.\d+, the servers are 9\.9\.9/);
  });
});

describe("system ms-status", () => {
  const status = { leader: "10.0.0.1:10001", store: "etcd" };

  it("dmg system ms-status calls every replica, and shows which do not answer or have no store", async () => {
    const leading = { ...status, leadsHere: true, term: 7n, members: 8 };
    const follower = await fake({ ctl: { msStatus: () => ({ ...status, outage: "etcd is full" }) } });
    const dead = await fake({});
    const gone = formatHostAddress(dead.host);
    open.splice(open.indexOf(dead), 1);
    await dead[Symbol.asyncDispose]();
    const replicas = [formatHostAddress(follower.host), gone];
    const leader = await fake({
      ctl: { msStatus: () => leading },
      mgmt: { leaderQuery: () => ({ replicas: [formatHostAddress(leader.host), ...replicas] }) },
    });
    const run = await runDmg([...at(leader.host), "--json", "system", "ms-status"]);
    expect(run.status).not.toBe(0);
    expect(run.json()).toMatchObject({
      result: {
        leader: formatHostAddress(leader.host),
        term: 7,
        store: "etcd",
        silent: [gone],
        replicas: expect.arrayContaining([
          expect.objectContaining({ leadsHere: true, members: 8 }),
          expect.objectContaining({ leadsHere: false, term: null, outage: "etcd is full" }),
        ]) as unknown,
      },
      errors: [{ hosts: [gone], code: FaultCode.connectionRefused }],
    });
  });

  it("dmg system ms-status exits with 4 when no host can be reached, and with 6 when one that was named cannot", async () => {
    const alone = await fake({
      ctl: { msStatus: () => ({ ...status, leadsHere: true }) },
      mgmt: { leaderQuery: () => ({ replicas: [formatHostAddress(alone.host)] }) },
    });
    const dead = await fake({});
    open.splice(open.indexOf(dead), 1);
    await dead[Symbol.asyncDispose]();
    const gone = formatHostAddress(dead.host);
    const none = await runDmg([...at(dead.host), "system", "ms-status"]);
    expect(none.status).toBe(4);
    expect(none.err).not.toContain("leads the management service");
    const some = await runDmg([...at(alone.host, dead.host), "--json", "system", "ms-status"]);
    expect(some.status).toBe(6);
    expect(some.json()).toMatchObject({
      result: { replicas: [{ host: formatHostAddress(alone.host) }], silent: [] },
      errors: [{ hosts: [gone], code: FaultCode.connectionRefused }],
    });
    // A host that answers and is no access point has no row.
    const other = await fake({ ctl: { msStatus: () => status }, mgmt: {} });
    const both = await runDmg([...at(alone.host, other.host), "--json", "system", "ms-status"]);
    expect(both.status).toBe(0);
    expect(both.json()).toMatchObject({ result: { replicas: [{ host: formatHostAddress(alone.host) }] } });
  });

  it("dmg system ms-status works without a leader, and shows the reason", async () => {
    const alone = await fake({
      ctl: { msStatus: () => ({ ...status, leader: "", outage: "etcd does not answer" }) },
      mgmt: { leaderQuery: () => ({ replicas: [formatHostAddress(alone.host)] }) },
    });
    const run = await runDmg([...at(alone.host), "system", "ms-status"]);
    expect(run.status).not.toBe(0);
    expect(run.out).toContain("Leader: none");
    expect(run.err).toContain("etcd does not answer");
  });
});

describe("text from a server", () => {
  it("dmg system member-query prints one row per member when a server forges a row", async () => {
    const uuid = "7c3bd1e4-7a37-4fdb-9a7b-2c5f8e6b9d10";
    const members = [{ rank: 0, uuid, addr: `10.0.0.1:10001\n1     ${uuid}  10.0.0.2:10001\u001b[2J` }];
    const server = await fake({ ctl: { systemMemberQuery: () => ({ members }) } });
    const run = await runDmg([...at(server.host), "system", "member-query"]);
    expect(run.out.trimEnd().split("\n")).toHaveLength(3);
    expect(run.out).not.toContain("\u001b");
  });

  it("dmg system leader-query prints two lines when a server forges one", async () => {
    const server = await fake({
      ctl: {},
      mgmt: {
        leaderQuery: () => ({ currentLeader: "10.0.0.1:10001\n   Replica Set: forged", replicas: ["a\rb"] }),
      },
    });
    const run = await runDmg([...at(server.host), "system", "leader-query"]);
    expect(run.out.trimEnd().split("\n")).toHaveLength(2);
    expect(run.out).not.toContain("\r");
  });
});
