// A process that takes part in an election, for tests that kill and freeze it: see candidate-process.ts.
import { EtcdClient } from "@daos/etcd";
import { Fault } from "@daos/fault";
import { formatHostAddress, parseHostAddress } from "@daos/hostlist";
import { createLogger } from "@daos/log";
import { sampleMember } from "@daos/member-store/testing";
import { delay } from "@daos/sys";
import type { LeaderView, Term } from "../election.ts";
import { EtcdElection } from "../etcd-election.ts";
import type { CandidateEvent, CandidateOptions, CandidateRequest } from "./candidate-process.ts";

const { endpoints, system, address } = JSON.parse(process.argv[2] ?? "") as CandidateOptions;

type Untimed<T> = T extends unknown ? Omit<T, "at"> : never;

/** All processes of a machine share this clock. */
function send(event: Untimed<CandidateEvent>): void {
  process.send?.({ ...event, at: Number(process.hrtime.bigint() / 1000n) / 1000 });
}

const client = new EtcdClient({ endpoints });
const log = createLogger(({ message }) => send({ kind: "log", message }), { level: "INFO" });
let hasReplica = false;
const election = new EtcdElection({
  client,
  system,
  address: parseHostAddress(address),
  hasReplica: () => hasReplica,
  log,
});

/** Changes one member again and again, as long as the term lasts; its reason names the term. */
async function commitInTurn(term: Term): Promise<void> {
  const { number, store } = term;
  const signal = new AbortController().signal;
  try {
    await store.load({ signal });
    for (let incarnation = 1; ; incarnation++) {
      const member = sampleMember(0, { reason: String(number), incarnation });
      await store.commit([{ kind: "put", member }], { signal });
      send({ kind: "committed", term: number, incarnation });
      await delay(20);
    }
  } catch (error) {
    send({ kind: "refused", term: number, code: error instanceof Fault ? error.code : undefined });
  }
}

/** The commits of the last term. */
let committing: Promise<void> = Promise.resolve();

function onChange(view: LeaderView): void {
  if (view.kind === "following") {
    send({
      kind: "following",
      leader: view.leader === undefined ? "none" : formatHostAddress(view.leader),
    });
    return;
  }
  const { number, signal } = view.term;
  send({ kind: "leading", term: number });
  signal.addEventListener("abort", () => send({ kind: "aborted", term: number }));
  committing = commitInTurn(view.term);
}

const stop = new AbortController();
process.on("message", (request: CandidateRequest) => {
  switch (request) {
    case "resign":
      stop.abort();
      break;
    case "replica":
      hasReplica = true;
      break;
    case "access points": {
      const list = election.accessPoints.map((one) => `${formatHostAddress(one.address)} ${one.hasReplica}`);
      send({ kind: "access points", list });
      break;
    }
    case "clock jump": {
      const real = Date.now;
      Date.now = () => real() + 86_400_000;
      break;
    }
    default:
      request satisfies never;
  }
});
process.on("disconnect", () => process.exit());
await election.run(onChange, stop);
await committing;
client[Symbol.dispose]();
send({ kind: "ended" });
process.disconnect();
