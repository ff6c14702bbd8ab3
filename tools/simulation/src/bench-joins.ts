import { MgmtClient } from "@daos/control-client";
import { NIL_RANK } from "@daos/rank";
import type { FromLeader } from "./bench-leader.ts";
import { type Say, startPart } from "./bench-parts.ts";
import { bareNode, compareWithStated } from "./bench-ratios.ts";
import { cpuSeconds } from "./cpu-time.ts";

const HOSTS = 64;
const JOINS = 1_000;
/** The number of members before the measured joins. */
const SIZES = [2_048, 6_144] as const;

const { signal } = new AbortController();

/**
 * Prints the leader's CPU time for the join of a new engine in systems of two sizes. Each host has the real client, and
 * one connection.
 *
 * @returns false when a ratio exceeds the stated one
 */
export async function benchJoinCosts(say: Say): Promise<boolean> {
  const bare = bareNode();
  const [small = Number.NaN, large = Number.NaN] = [await costAt(SIZES[0]), await costAt(SIZES[1])];
  say("| CPU per join | of 2048 members | of 6144 members | measured | stated |");
  say("|---|---|---|---|---|");
  const columns = [small, large].map((seconds) => `${(seconds * 1000).toFixed(2)} ms`).join(" | ");
  let good = true;
  for (const [name, ratio] of [
    ["join, 6144 members to 2048", large / small],
    ["100 joins to bare Node.js", (100 * large) / bare.cpuSeconds],
  ] as const) {
    const comparison = compareWithStated(name, ratio);
    if (!comparison.good) good = false;
    say(`| ${name} | ${columns} | ${ratio.toFixed(2)} | ${comparison.text} |`);
  }
  return good;
}

/** CPU seconds of one join. */
async function costAt(members: number): Promise<number> {
  using leader = await startPart<FromLeader>("leader", `${members}`);
  const host = { host: "127.0.0.1", port: leader.ready.port };
  let next = 0;
  const work = async (client: MgmtClient, index: number, until: number) => {
    while (next < until) {
      const number = next++;
      const message = {
        uuid: `join-${number}`,
        rank: NIL_RANK,
        uri: `ofi+tcp://10.1.0.${index}:${31_416 + number}`,
        nctxs: 2,
        addr: `10.1.0.${index}:10001`,
        faultDomain: "/",
        reports: true,
        recorded: false,
        // All engines have one address here, so each would replace the previous one.
        engineNumber: 0,
      };
      await client.join(host, message, { signal });
    }
  };
  const clients = Array.from({ length: HOSTS }, () => new MgmtClient(async () => undefined));
  const joinUntil = (until: number) =>
    Promise.all(clients.map((client, index) => work(client, index, until)));
  await joinUntil(HOSTS * 4);
  const begun = cpuSeconds(leader.pid);
  await joinUntil(HOSTS * 4 + JOINS);
  return (cpuSeconds(leader.pid) - begun) / JOINS;
}
