import { FakeServer } from "@daos/control-client/testing";
import { ctl } from "@daos/proto";

/** A member of the big system. */
interface BigMember {
  addr: string;
  uuid: string;
  rank: number;
  state: ctl.MemberState;
  reason: string;
  since: bigint;
  incarnation: number;
  uri: string;
  nctxs: number;
  faultDomain: string;
}

/** The distribution of the states: a few members in each state other than joined. */
const EXCEPTIONS: readonly (readonly [number, ctl.MemberState, string])[] = [
  [37, ctl.MemberState.MEMBER_ERRORED, "the engine ended with signal SIGSEGV"],
  [38, ctl.MemberState.MEMBER_ERRORED, "the engine ended with signal SIGSEGV"],
  [412, ctl.MemberState.MEMBER_UNRESPONSIVE, "no report from its host for 31 s"],
  [413, ctl.MemberState.MEMBER_UNRESPONSIVE, "no report from its host for 31 s"],
  [700, ctl.MemberState.MEMBER_STOPPED, "by an administrator"],
  [701, ctl.MemberState.MEMBER_STOPPED, "by an administrator"],
  [702, ctl.MemberState.MEMBER_STOPPED, "by an administrator"],
  [1201, ctl.MemberState.MEMBER_EXCLUDED, "by an administrator"],
  [1600, ctl.MemberState.MEMBER_JOINING, ""],
  [1733, ctl.MemberState.MEMBER_STOPPING, "by an administrator"],
];

/**
 * A leader with many members, two on each host, 32 hosts in a rack: a real gRPC listener with generated answers. It tests the
 * page on a system that is too large for a test machine.
 */
export class BigSystem implements AsyncDisposable {
  readonly members: BigMember[];
  readonly #server: FakeServer;
  #followers = new Set<(event: ctl.SystemEvent | object) => void>();
  #number = 0n;

  private constructor(server: FakeServer, members: BigMember[]) {
    this.#server = server;
    this.members = members;
  }

  get address(): string {
    return `${this.#server.host.host}:${this.#server.host.port}`;
  }

  static async start(count: number): Promise<BigSystem> {
    const started = Date.now() - 3 * 86_400_000;
    const members = Array.from({ length: count }, (_, rank): BigMember => makeMember(rank, started));
    for (const [rank, state, reason] of EXCEPTIONS) {
      const member = members[rank];
      if (member !== undefined) Object.assign(member, { state, reason, since: BigInt(Date.now() - 480_000) });
    }
    let system: BigSystem | undefined;
    const server = await FakeServer.start({
      ctl: {
        systemQuery: () => ({ members }),
        systemMemberQuery: () => ({ members: [] }),
        async *systemEvents(_request, { signal }) {
          yield* system?.follow(signal) ?? [];
        },
      },
      mgmt: {
        leaderQuery: () => ({
          currentLeader: members[0]?.addr ?? "",
          replicas: members.slice(0, 6).flatMap(({ addr }, at) => (at % 2 === 0 ? addr : [])),
        }),
        listPools: () => ({ status: 0, pools: [] }),
      },
    });
    system = new BigSystem(server, members);
    return system;
  }

  /** Changes the state of one member, and sends an event. */
  change(rank: number, state: ctl.MemberState, reason: string): void {
    const member = this.members[rank];
    if (member === undefined) throw new Error(`there is no rank ${rank}`);
    Object.assign(member, { state, reason, since: BigInt(Date.now()) });
    this.#number++;
    const event = {
      number: this.#number,
      time: BigInt(Date.now()),
      kind: "engine_died",
      severity: "error",
      message: reason,
      rank,
      uuid: member.uuid,
      addr: member.addr,
    };
    for (const send of this.#followers) send(event);
  }

  async *follow(signal: AbortSignal): AsyncGenerator<object> {
    const waiting: object[] = [];
    let notify = () => {};
    const send = (event: object) => {
      waiting.push(event);
      notify();
    };
    this.#followers.add(send);
    signal.addEventListener("abort", () => notify(), { once: true });
    try {
      while (!signal.aborted) {
        const next = waiting.shift();
        if (next !== undefined) yield next;
        else
          await new Promise<void>((resolve) => {
            notify = resolve;
          });
      }
    } finally {
      this.#followers.delete(send);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
  }
}

function makeMember(rank: number, started: number): BigMember {
  const host = Math.floor(rank / 2);
  const rack = Math.floor(host / 32);
  const addr = `10.${20 + rack}.0.${(host % 32) + 1}:10001`;
  return {
    addr,
    uuid: `4c583a1c-2087-4f1e-b2aa-${rank.toString(16).padStart(12, "0")}`,
    rank,
    state: ctl.MemberState.MEMBER_JOINED,
    reason: "",
    since: BigInt(started),
    incarnation: 1,
    uri: `ofi+verbs://${addr.replace(":10001", "")}:${31416 + (rank % 2)}`,
    nctxs: 8,
    faultDomain: `/rack${rack + 1}/node${host + 1}`,
  };
}
