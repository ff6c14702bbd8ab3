import { EtcdCluster, SeverableProxy } from "@daos/etcd/testing";
import { delay } from "@daos/sys";
import { Random } from "@daos/sys/testing";
import { CandidateProcess } from "./candidate-process.ts";
import { checkHistory, settled } from "./contest.ts";

/** The result of {@link etcdFaults}. */
export interface EtcdFaultsReport {
  readonly faults: Readonly<Record<string, number>>;
  /** Commits that were acknowledged; all of them are in etcd. */
  readonly acknowledged: number;
  readonly terms: number;
}

export interface EtcdFaultsOptions {
  readonly count: number;
  readonly seed: number;
  /** How long a fault lasts at most, ms; 6,000 by default, which is longer than a lease. */
  readonly longestMs?: number;
  readonly say?: (line: string) => void;
}

/** Minimum duration of a fault, ms. */
const SHORTEST_MS = 200;
const SETTLE_MS = 300_000;

/** Undoes a fault. */
type Undo = () => Promise<void> | void;

const FAULTS: Readonly<Record<string, (field: Field) => Promise<Undo>>> = {
  "a member of etcd is killed": (field) => field.killMember(field.random.pick(field.cluster.members)),
  "a member of etcd is frozen": async ({ cluster, random }) => {
    const member = random.pick(cluster.members);
    member.freeze();
    return () => member.thaw();
  },
  "the leader of etcd is killed": async (field) => field.killMember(await field.cluster.leader()),
  "all of etcd is killed": async ({ cluster }) => {
    await Promise.all(cluster.members.map((member) => member.kill()));
    return () => {
      for (const member of cluster.members) member.restart();
    };
  },
  "the leader is cut off from etcd": async (field) => field.cut(field.leader()),
  "a follower is cut off from etcd": async (field) =>
    field.cut((field.leader() + 1) % field.candidates.length),
  "the leader is killed": (field) => field.killCandidate(field.leader()),
  "the leader is frozen": async (field) => {
    const candidate = field.candidates[field.leader()];
    candidate?.freeze();
    return () => candidate?.thaw();
  },
  "the leader and the leader of etcd are killed": async (field) => {
    const undo = [
      await field.killCandidate(field.leader()),
      await field.killMember(await field.cluster.leader()),
    ];
    return async () => {
      for (const one of undo) await one();
    };
  },
};

/**
 * Three candidates in processes of their own, of which the leader commits all the time to a real etcd of three members. Each
 * fault in turn is done and undone after a random time, and then there must be one leader who commits.
 *
 * @throws Error when there is none, when a commit that was acknowledged is lost, or a leader of the past has committed
 */
export async function etcdFaults({
  count,
  seed,
  longestMs = 6_000,
  say,
}: EtcdFaultsOptions): Promise<EtcdFaultsReport> {
  await using cluster = await EtcdCluster.start({ members: 3 });
  await using field = await Field.create(cluster, new Random(seed));
  const done: Record<string, number> = {};
  await settled(field.candidates, SETTLE_MS);
  for (let fault = 0; fault < count; fault++) {
    const [name, begin] = Object.entries(FAULTS)[fault % Object.keys(FAULTS).length] ?? [];
    if (name === undefined || begin === undefined) throw new Error("there are no faults");
    const ms = SHORTEST_MS + field.random.below(longestMs - SHORTEST_MS);
    say?.(`${fault + 1}: ${name} for ${ms} ms`);
    const undo = await begin(field);
    await delay(ms);
    await undo();
    await cluster.ready();
    await settled(field.candidates, SETTLE_MS);
    done[name] = (done[name] ?? 0) + 1;
  }
  await Promise.all(field.candidates.map((candidate) => candidate.kill()));
  using client = cluster.client();
  return { faults: done, ...(await checkHistory(client, field.system, field.everyone)) };
}

/** The candidates, each with wires of its own to etcd. */
class Field implements AsyncDisposable {
  readonly cluster: EtcdCluster;
  readonly random: Random;
  readonly system = "faults";
  readonly candidates: CandidateProcess[] = [];
  /** Also those that are dead. */
  readonly everyone: CandidateProcess[] = [];
  readonly #wires: readonly (readonly SeverableProxy[])[];

  private constructor(cluster: EtcdCluster, random: Random, wires: readonly (readonly SeverableProxy[])[]) {
    this.cluster = cluster;
    this.random = random;
    this.#wires = wires;
    for (const index of wires.keys()) this.#enter(index);
  }

  static async create(cluster: EtcdCluster, random: Random): Promise<Field> {
    const wires: SeverableProxy[][] = [];
    for (let index = 0; index < 3; index++)
      wires.push(await Promise.all(cluster.endpoints.map((url) => SeverableProxy.start(url))));
    return new Field(cluster, random, wires);
  }

  /** Which candidate leads. */
  leader(): number {
    const index = this.candidates.findIndex(({ leads }) => leads);
    if (index < 0) throw new Error("no candidate leads");
    return index;
  }

  async killMember(member: EtcdCluster["members"][number]): Promise<Undo> {
    await member.kill();
    return () => member.restart();
  }

  async killCandidate(index: number): Promise<Undo> {
    await this.candidates[index]?.kill();
    return () => this.#enter(index);
  }

  cut(index: number): Undo {
    const wires = this.#wires[index] ?? [];
    for (const wire of wires) wire.cut();
    return () => {
      for (const wire of wires) wire.mend();
    };
  }

  #enter(index: number): void {
    const endpoints = (this.#wires[index] ?? []).map(({ url }) => url);
    const address = `node${this.everyone.length}:10001`;
    const candidate = new CandidateProcess({ endpoints, system: this.system, address });
    this.candidates[index] = candidate;
    this.everyone.push(candidate);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.everyone.map((candidate) => candidate.kill()));
    for (const wire of this.#wires.flat()) await wire[Symbol.asyncDispose]();
  }
}
