// npm run bench:fail-over -w @daos/membership [-- ROUNDS]: from losing a leader to the first commit of the next.
import { EtcdCluster, type EtcdMember } from "@daos/etcd/testing";
import { CandidateProcess, now } from "./candidate-process.ts";
import { settled } from "./contest.ts";

const rounds = Number(process.argv[2] ?? 10);

/** The fault of the leader; resolves with the candidates of which one must take over. */
interface Loss {
  readonly name: string;
  readonly lose: (leader: CandidateProcess) => Promise<void>;
  readonly recover?: () => Promise<void>;
}

await using cluster = await EtcdCluster.start({ members: 3 });

let ended: EtcdMember | undefined;
const recover = async () => {
  ended?.restart();
  await cluster.ready();
};
const losses: readonly Loss[] = [
  { name: "resigns", lose: async (leader) => leader.ask("resign") },
  { name: "killed", lose: (leader) => leader.kill() },
  {
    name: "killed, with etcd's leader",
    lose: async (leader) => {
      ended = await cluster.leader();
      await Promise.all([leader.kill(), ended.kill()]);
    },
    recover,
  },
];

let names = 0;
for (const { name, lose, recover: after } of losses) {
  const system = name.replace(/\W/g, "-");
  const enter = () =>
    new CandidateProcess({ endpoints: cluster.endpoints, system, address: `node${names++}:10001` });
  let candidates = [enter(), enter(), enter()];
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    await Promise.all(candidates.map((candidate) => candidate.event("following")));
    await settled(candidates);
    const leader = candidates.find(({ leads }) => leads);
    if (leader === undefined) throw new Error("there is no leader");
    const others = candidates.filter((candidate) => candidate !== leader);
    const since = now();
    await lose(leader);
    const { at } = await Promise.any(others.map((other) => other.event("committed", { since, ms: 20_000 })));
    times.push(at - since);
    await after?.();
    candidates = [...others, enter()];
  }
  await Promise.all(candidates.map((candidate) => candidate.kill()));
  const sorted = times.toSorted((a, b) => a - b);
  const ms = (value: number | undefined) => `${Math.round(value ?? 0)} ms`;
  process.stdout.write(
    `${name}: best ${ms(sorted[0])}, median ${ms(sorted[sorted.length >> 1])}, worst ${ms(sorted.at(-1))} of ${rounds}\n`,
  );
}
process.exit();
