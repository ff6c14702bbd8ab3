import { type FakeCalls, FakeServer } from "@daos/control-client/testing";
import { Fault } from "@daos/fault";
import type { HostAddress } from "@daos/hostlist";
import { ctl, mgmt } from "@daos/proto";
import type { Run } from "./run-dmg.ts";

const GB = 1024n ** 3n;
const UUID = (digit: number) => `${String(digit).repeat(8)}-1111-4222-8333-444444444444`;

/** The hardware and the answers of the fake hosts. */
const scan = {
  scm: {
    modules: [
      { physicalid: 1, capacity: 502n * GB, loc: { socket: 0, memctrlr: 1, channel: 2, channelpos: 0 } },
      { physicalid: 2, capacity: 502n * GB, loc: { socket: 1, memctrlr: 0, channel: 1, channelpos: 1 } },
    ],
    pmems: [
      { uuid: UUID(8), blockdev: "pmem0", dev: "namespace0.0", numanode: 0, size: 498n * GB, engine: 0 },
      { uuid: UUID(9), blockdev: "pmem1", dev: "namespace1.0", numanode: 1, size: 498n * GB },
    ],
  },
  nvme: {
    ctrlrs: [
      {
        pciaddr: "0000:3b:00.0",
        model: "INTEL SSDPED1K750GA",
        serial: "PHKS6",
        fwrev: "E2010325",
        socketid: 0,
        namespaces: [{ id: 1, size: 698, engine: 0 }],
        source: 3,
        driver: "vfio-pci",
        healthstats: { temp: 305, poweronhours: 9_000n },
      },
      {
        pciaddr: "0000:81:00.0",
        model: "INTEL SSDPED1K750GA",
        serial: "PHKS7",
        fwrev: "E2010325",
        socketid: 1,
        namespaces: [{ id: 1, size: 698 }],
        source: 1,
        driver: "nvme",
        trend: {
          samples: 48,
          days: 2,
          mediaErrorsPerDay: 0.5,
          errorLogEntriesPerDay: 0,
          daysLeft: 900.4,
          highestTemp: 331,
        },
        healthstats: {
          temp: 310,
          ctrlbusytime: 12n,
          powercycles: 99n,
          poweronhours: 9_000n,
          unsafeshutdowns: 2n,
          mediaerrors: 1n,
          availsparewarn: true,
          percentused: 7,
        },
      },
    ],
  },
};
const acl = ["A::OWNER@:rw", "A:G:GROUP@:r"];

const { MemberState } = ctl;
const { PoolState } = mgmt;
const since = BigInt(Date.UTC(2026, 10, 24, 12));

/** Eight members on four hosts; two members have failed. */
const members = Array.from({ length: 8 }, (_, rank) => ({
  rank,
  uuid: UUID(rank),
  addr: `10.0.0.${Math.floor(rank / 2) + 1}:10001`,
  faultDomain: `/rack${rank < 4 ? 1 : 2}/node${Math.floor(rank / 2) + 1}`,
  uri: `ofi+sockets://10.0.0.${Math.floor(rank / 2) + 1}:31416`,
  incarnation: rank === 5 ? 3 : 1,
  since,
  state: MemberState.MEMBER_JOINED,
  reason: "",
  ...(rank === 5 && {
    state: MemberState.MEMBER_ERRORED,
    reason: "the engine was ended by SIGSEGV 10 times",
  }),
  ...(rank > 5 && { state: MemberState.MEMBER_UNRESPONSIVE, reason: "no report for 30 s" }),
}));

function select(selection: ctl.MemberSelection | undefined) {
  const { ranks = [], hosts = [] } = selection ?? {};
  const all = ranks.length + hosts.length === 0;
  return {
    chosen: members.filter(({ rank, addr }) => all || ranks.includes(rank) || hosts.includes(addr)),
    missingRanks: ranks.filter((rank) => !members.some((member) => member.rank === rank)),
    missingHosts: hosts.filter((host) => !members.some(({ addr }) => addr === host)),
  };
}

/** Members that respond do the action. The other members are unreachable. */
function act(action: string, done: ctl.MemberState) {
  return ({ selection }: ctl.SystemActionReq) => {
    const { chosen, ...missing } = select(selection);
    // Like a real server, it changes nothing when a named member does not exist.
    if (missing.missingRanks.length + missing.missingHosts.length > 0) return { results: [], ...missing };
    const results = chosen.map(({ rank, uuid, addr, state }) => {
      const silent = state === MemberState.MEMBER_UNRESPONSIVE;
      const fault = {
        domain: "system",
        code: 813,
        description: `${action} rank ${rank} on ${addr}`,
        reason: "its host has not answered within 30 s",
        resolution: `check that ${addr} is up, then repeat the command`,
      };
      // A member is excluded also when its engine could not be stopped.
      if (action === "exclude") {
        return {
          rank,
          uuid,
          addr,
          action,
          state: done,
          note: silent ? `its engine was not stopped: ${fault.reason}` : "",
        };
      }
      return { rank, uuid, addr, action, state: silent ? state : done, ...(silent && { fault }) };
    });
    return { results, ...missing };
  };
}

const events = [
  { kind: "leader_changed", severity: "notice", message: "10.0.0.1:10001 leads", addr: "10.0.0.1:10001" },
  {
    kind: "member_joined",
    severity: "notice",
    message: "rank 5 has joined",
    rank: 5,
    addr: "10.0.0.3:10001",
  },
  {
    kind: "engine_died",
    severity: "error",
    message: "the engine was ended by SIGSEGV",
    rank: 5,
    uuid: UUID(5),
    addr: "10.0.0.3:10001",
  },
].map((event, at) => ({ ...event, number: BigInt(at + 1), time: since + BigInt(at * 1_000) }));

function calls(index: number): FakeCalls {
  return {
    ctl: {
      storageScan: () =>
        index === 3
          ? { scm: {}, nvme: { state: { status: -2, error: "no SPDK", info: "run dmg storage prepare" } } }
          : scan,
      async *storageFormatWatch() {
        if (index === 3) {
          throw new Fault({
            domain: "storage",
            code: 103,
            description: "format SCM at /mnt/daos",
            reason: "it is formatted",
            resolution: "use --reformat if its data is not needed",
          });
        }
        const progress = { device: "0000:81:00.0", step: "zero", fraction: 0.5, remainingMs: 1000n };
        yield { event: { case: "progress", value: progress } };
        const mrets = [{ mntpoint: "/mnt/daos", state: {} }];
        const crets = [{ pciaddr: "0000:81:00.0", state: {} }];
        yield { event: { case: "results", value: { mrets, crets } } };
      },
      async *storageBurnIn({ devices }) {
        const passed = {
          pciaddr: "0000:81:00.0",
          verdict: 1,
          state: {},
          bytesWritten: 512n * GB,
          bytesVerified: 511n * GB,
          elapsedMs: 900_400n,
        };
        const state = {
          status: -2,
          error:
            'bdev: code = 318 description = "the NVMe controller 0000:81:00.0 failed its burn-in: bad at 1 places, first: mismatch at byte 512: byte 513 is 1, not 2; 2 media errors"',
          info: 'bdev: code = 318 resolution = "replace the device, or leave it out of bdev_list; it holds nothing"',
        };
        const errors = ["mismatch at byte 512: byte 513 is 1, not 2"];
        const failed = { ...passed, verdict: 2, state, errors, findings: ["2 media errors"] };
        const skipped = {
          pciaddr: "0000:3b:00.0",
          verdict: 4,
          reason: "it serves engine 0, which is serving",
        };
        const results =
          devices.length > 0 ? [passed] : index === 3 ? [skipped] : [skipped, index === 2 ? failed : passed];
        yield { event: { case: "results", value: { results } } };
      },
      storagePrepare: ({ nvme, scm: wanted }) => ({
        ...(nvme && { nvme: { state: {} } }),
        ...(wanted && { scm: { pmems: scan.scm.pmems, state: { info: "reboot the host" } } }),
      }),
      storageUsage: () => ({
        engines: [0, 1].map((engine) => ({
          index: engine,
          rank: (index - 1) * 2 + engine,
          mount: `/mnt/daos${engine}`,
          scmTotal: 498n * GB,
          scmAvailable: index === 2 ? 480n * GB : 123n * GB,
          ...(index === 3 && engine === 1
            ? { nvmeState: { status: -2, error: "no SPDK", info: "run dmg storage prepare" } }
            : { nvmeTotal: 1_600_321_314_816n }),
        })),
      }),
      msStatus: () => ({
        leadsHere: index === 1,
        leader: "10.0.0.1:10001",
        term: index === 1 ? 7n : 0n,
        store: "etcd",
        members: index === 1 ? 8 : 0,
        outage: index === 3 ? "etcd does not answer" : "",
      }),
      serverVersion: () => ({
        name: "daos-server",
        version: index === 3 ? "0.0.9" : "0.1.0",
        release: "0.8.0",
        runtime: "Node.js 24.10.1",
        started: since,
      }),
      serverQuery: ({ config }) => ({
        version: "1.0.0",
        pid: 1000 + index,
        started: 1_764_000_000_000n,
        engines: [0, 1].map((engine) => ({
          index: engine,
          rank: (index - 1) * 2 + engine,
          state: "serving",
          pid: 2000 + index * 10 + engine,
          started: 1_764_000_060_000n,
          restarts: engine,
        })),
        configFile: "/etc/daos/daos_server.yml",
        config: config
          ? [
              {
                name: "port",
                value: index === 3 ? "10002" : "10001",
                defaultValue: "10001",
                description: "TCP port of the control plane.",
                allowed: "a port from 1 to 65535",
              },
            ]
          : [],
      }),
      setLogMasks: ({ masks, reset }) => ({ masks: reset ? "INFO" : masks, configured: "INFO" }),
      networkListProviders: () => ({ provider: "ofi+sockets, ofi+verbs" }),
      async *networkScanDevices({ provider }) {
        if (provider !== "ofi+verbs") yield { provider: "ofi+sockets", device: "eth0", numanode: 0 };
        yield { provider: "ofi+verbs", device: "ib0", numanode: 1 };
      },
      systemMemberQuery: () => ({
        members: [0, 1, 2].map((rank) => ({ rank, uuid: UUID(rank), addr: `10.0.0.${rank + 1}:10001` })),
      }),
      systemQuery: ({ selection }) => {
        const { chosen, ...missing } = select(selection);
        return { members: chosen, ...missing };
      },
      systemStopMembers: act("stop", MemberState.MEMBER_STOPPED),
      systemStart: act("start", MemberState.MEMBER_JOINED),
      systemExclude: act("exclude", MemberState.MEMBER_EXCLUDED),
      systemClearExclude: act("clear-exclude", MemberState.MEMBER_STOPPED),
      systemErase: act("erase", MemberState.MEMBER_UNKNOWN),
      async *systemEvents() {
        yield* events;
      },
    },
    mgmt: {
      leaderQuery: () => ({
        currentLeader: "10.0.0.1:10001",
        replicas: ["10.0.0.1:10001", "10.0.0.2:10001"],
      }),
      listPools: () => ({
        pools: [
          {
            uuid: UUID(6),
            svcreps: [0],
            state: PoolState.POOL_MISSING,
            note: "the data plane does not have it",
          },
          {
            uuid: UUID(5),
            svcreps: [0, 1, 2],
            label: "scratch",
            state: PoolState.POOL_READY,
            scmbytes: 8n * GB,
            nvmebytes: 200n * GB,
            ranks: [0, 1, 2, 3],
            user: "ana@",
            usergroup: "physics@",
            createdAt: since,
            createdBy: "admin at 10.0.0.9",
          },
        ],
        registered: true,
      }),
      poolCreate: () => ({ svcreps: [0, 1, 2] }),
      poolDestroy: ({ uuid }) => ({ status: uuid === UUID(6) ? -1012 : 0 }),
      poolGetACL: () => ({ ACL: acl }),
      poolOverwriteACL: ({ ACL }) => ({ ACL }),
      poolUpdateACL: ({ ACL }) => ({ ACL: [...acl, ...ACL] }),
      poolDeleteACL: ({ principal }) => ({ ACL: acl.filter((entry) => !entry.includes(principal)) }),
      bioHealthQuery: ({ devUuid, tgtId }) => ({
        devUuid: devUuid === "" ? UUID(Number(tgtId)) : devUuid,
        temperature: 300,
        readErrs: 4,
        deviceReliability: true,
      }),
    },
  };
}

/** Three fake hosts that know every request. The third host fails. */
export class FakeSystem implements AsyncDisposable {
  /** `127.0.1.[1-3]` with their common port. */
  readonly hosts: string;
  readonly servers: readonly FakeServer[];
  readonly #port: number;

  private constructor(servers: readonly FakeServer[], port: number) {
    this.servers = servers;
    this.#port = port;
    this.hosts = `127.0.1.[1-3]:${port}`;
  }

  static async start(): Promise<FakeSystem> {
    const h2c = undefined;
    const servers = [await FakeServer.start(calls(1), h2c, { host: "127.0.1.1", port: 0 })];
    const port = servers[0]?.host.port ?? 0;
    for (const index of [2, 3]) {
      const host: HostAddress = { host: `127.0.1.${index}`, port };
      servers.push(await FakeServer.start(calls(index), h2c, host));
    }
    return new FakeSystem(servers, port);
  }

  /** The output of a run with all varying values replaced by constants of the same width. */
  show(run: Run): string {
    const parts = [`exit ${run.status}`, "--- stdout", run.out, "--- stderr", run.err];
    return `${parts.join("\n").trimEnd()}\n`
      .replaceAll(`:${this.#port}`, ":20001")
      .replace(
        /(?<=UUID: |"uuid": "|pool )[\da-f]{8}-[\da-f]{4}-4(?!222)[\da-f-]{21}/g,
        "00000000-0000-4000-8000-000000000000",
      );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The first host chooses the port. It stays open, so that the other hosts can use the same port.
    for (const server of this.servers.toReversed()) await server[Symbol.asyncDispose]();
  }
}
