import { fromBinary } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { MgmtClient } from "@daos/control-client";
import { ctl } from "@daos/proto";
import { NIL_RANK } from "@daos/rank";
import type { FromHosts } from "./bench-hosts.ts";
import type { FromLeader } from "./bench-leader.ts";
import { type Say, startPart } from "./bench-parts.ts";

const HOSTS = 256;
const ENGINES = 8;
const ONE_BY_ONE = 256;
const STEP_MS = 10_000;

const { signal } = new AbortController();
/** The engines of each fake host. Their calls share a connection. */
const clients = Array.from({ length: HOSTS }, () => new MgmtClient(async () => undefined));

interface Run {
  readonly seconds: number;
  readonly latencies: readonly number[];
}

async function joinAll(port: number, uuids: readonly string[], atOnce: boolean): Promise<Run> {
  const latencies: number[] = [];
  const joinOne = async (uuid: string, index: number) => {
    const begun = performance.now();
    await (clients[index % HOSTS] as MgmtClient).join(
      { host: "127.0.0.1", port },
      {
        uuid,
        rank: NIL_RANK,
        uri: `ofi+tcp://10.0.0.${index % HOSTS}:${31_416 + Math.floor(index / HOSTS)}`,
        nctxs: 2,
        addr: `10.0.0.${index % HOSTS}:10001`,
        faultDomain: "/",
        reports: true,
        recorded: false,
        // All engines have one address here, so each would replace the previous one.
        engineNumber: 0,
      },
      { signal },
    );
    latencies.push(performance.now() - begun);
  };
  const begun = performance.now();
  if (atOnce) await Promise.all(uuids.map(joinOne));
  else for (const [index, uuid] of uuids.entries()) await joinOne(uuid, index);
  return {
    seconds: (performance.now() - begun) / 1000,
    latencies: latencies.sort((a, b) => a - b),
  };
}

const uuidsOf = (count: number, kind: string) =>
  Array.from({ length: count }, (_, index) => `${kind}-${index.toString(16).padStart(4, "0")}`);
const at = (latencies: readonly number[], part: number) =>
  (latencies[Math.floor((latencies.length - 1) * part)] ?? 0).toFixed(1);

export async function benchJoins(say: Say): Promise<void> {
  say("| joins | joins/s | ratio | joins per commit | p50 ms | p99 ms | leader's peak memory |");
  say("|---|---|---|---|---|---|---|");
  let base = 0;
  for (const [name, uuids, atOnce] of [
    [`${ONE_BY_ONE}, one at a time`, uuidsOf(ONE_BY_ONE, "one"), false],
    [`${HOSTS * ENGINES} from ${HOSTS} hosts at once`, uuidsOf(HOSTS * ENGINES, "all"), true],
  ] as const) {
    using leader = await startPart<FromLeader>("leader");
    await joinAll(leader.ready.port, uuidsOf(8, "warm"), false);
    const before = await leader.ask<FromLeader>({ kind: "report" });
    const { seconds, latencies } = await joinAll(leader.ready.port, uuids, atOnce);
    const after = await leader.ask<FromLeader>({ kind: "report" });
    const rate = uuids.length / seconds;
    base ||= rate;
    const perCommit = uuids.length / (after.commits - before.commits);
    say(
      `| ${name} | ${Math.round(rate)} | ${(rate / base).toFixed(1)} | ${perCommit.toFixed(1)} | ${at(latencies, 0.5)} | ${at(latencies, 0.99)} | ${Math.round(after.peakKiB / 1024)} MiB |`,
    );
    if (after.members !== uuids.length + 8) throw new Error(`the leader has ${after.members} members`);
  }
}

export async function benchQuery(say: Say): Promise<void> {
  using leader = await startPart<FromLeader>("leader", `${HOSTS * ENGINES}`);
  const transport = createGrpcTransport({ baseUrl: `http://127.0.0.1:${leader.ready.port}` });
  const calls = createClient(ctl.MgmtCtl, transport);
  const measure = async (work: () => unknown) => {
    const times: number[] = [];
    for (let round = 0; round < 60; round++) {
      const begun = performance.now();
      await work();
      if (round >= 10) times.push(performance.now() - begun);
    }
    return times.sort((a, b) => a - b);
  };
  const one = await measure(() => calls.systemQuery({ selection: { ranks: [7], hosts: [] } }));
  const all = await measure(() => calls.systemQuery({}));
  const bytes = leader.ready.queryBytes;
  const decode = await measure(() => fromBinary(ctl.SystemQueryRespSchema, new Uint8Array(bytes)));
  say("\n| system query | p50 ms | p99 ms | ratio |");
  say("|---|---|---|---|");
  const ratio = (times: readonly number[]) => (Number(at(times, 0.5)) / Number(at(one, 0.5))).toFixed(1);
  say(`| of 1 rank | ${at(one, 0.5)} | ${at(one, 0.99)} | 1.0 |`);
  say(`| of ${HOSTS * ENGINES} ranks | ${at(all, 0.5)} | ${at(all, 0.99)} | ${ratio(all)} |`);
  say(
    `| of which to decode ${bytes.length} bytes | ${at(decode, 0.5)} | ${at(decode, 0.99)} | ${ratio(decode)} |`,
  );
}

export async function benchStop(say: Say): Promise<void> {
  say(`\n| system stop, step deadline ${STEP_MS / 1000} s | s | deadlines | stopped | failed |`);
  say("|---|---|---|---|---|");
  for (const holes of [0, Math.ceil(HOSTS / 100)]) {
    using hosts = await startPart<FromHosts>("hosts", `${HOSTS}`, `${holes}`);
    using leader = await startPart<FromLeader>(
      "leader",
      `${HOSTS * ENGINES}`,
      ...hosts.ready.ports.map(String),
    );
    const { ms, stopped, failed } = await leader.ask<{
      readonly ms: number;
      readonly stopped: number;
      readonly failed: number;
    }>({ kind: "stop", timeoutMs: STEP_MS });
    say(
      `| ${HOSTS * ENGINES} ranks on ${HOSTS} hosts, ${holes} black holes | ${(ms / 1000).toFixed(2)} | ${(ms / STEP_MS).toFixed(2)} | ${stopped} | ${failed} |`,
    );
  }
}
