import { Fault, FaultCode } from "@daos/fault";
import type { HostAddress } from "@daos/hostlist";
import { faultNotLeader } from "@daos/rpc";
import { abortable, deadline, delay, systemClock } from "@daos/sys";
import { describe, expect, it } from "vitest";
import { LeaderFinder } from "./leader-finder.ts";

const at = (host: string): HostAddress => ({ host, port: 10001 });
const wait = { signal: new AbortController().signal, hostMs: 20 };
const accessPoints = [at("node1"), at("node2"), at("node3")];
const unreachable = new Fault({
  domain: "client",
  code: FaultCode.hostUnreachable,
  description: "unreachable",
  resolution: "none",
});

type Answer = Fault | "leads" | "leads, and is slow" | "silent";

/** Fake hosts. A leader answers with its name, other hosts as given. Records which hosts were asked. */
function hosts(answers: Readonly<Record<string, Answer>>) {
  const asked: string[] = [];
  const call = async ({ host }: HostAddress, { signal }: { readonly signal: AbortSignal }) => {
    asked.push(host);
    const answer = answers[host];
    if (answer === undefined) throw new Error(`unexpected call to ${host}`);
    if (answer === "silent") return abortable(new Promise<never>(() => {}), signal);
    if (answer === "leads, and is slow") {
      await delay(4 * wait.hostMs, { signal });
      return host;
    }
    if (answer !== "leads") throw answer;
    return host;
  };
  return { call, asked };
}

const sentTo = (leader: string | undefined) => faultNotLeader("here:10001", leader && `${leader}:10001`);

describe("LeaderFinder", () => {
  it.each<[string, Readonly<Record<string, Answer>>, readonly string[]]>([
    ["the first access point", { node1: "leads" }, ["node1"]],
    ["where a follower points", { node1: sentTo("node3"), node3: "leads" }, ["node1", "node3"]],
    [
      "an access point that is not configured",
      { node1: sentTo("node4"), node4: "leads" },
      ["node1", "node4"],
    ],
    [
      "past dead hosts",
      { node1: unreachable, node2: unreachable, node3: "leads" },
      ["node1", "node2", "node3"],
    ],
    ["past those who know none", { node1: sentTo(undefined), node2: "leads" }, ["node1", "node2"]],
    ["past a host that is silent", { node1: "silent", node2: "leads" }, ["node1", "node2"]],
    [
      "past two of them",
      { node1: "silent", node2: "silent", node3: sentTo("node4"), node4: "leads" },
      ["node1", "node2", "node3", "node4"],
    ],
    [
      "past hosts that point at each other",
      { node1: sentTo("node2"), node2: sentTo("node1"), node3: "leads" },
      ["node1", "node2", "node3"],
    ],
  ])("LeaderFinder.ask() finds the leader: %s", async (_name, answers, expected) => {
    const { call, asked } = hosts(answers);
    const finder = new LeaderFinder({ accessPoints, known: () => undefined });
    expect(await finder.ask(call, wait)).toBe(expected.at(-1));
    expect(asked).toEqual(expected);
    expect(finder.leader).toEqual(at(expected.at(-1) ?? ""));
  });

  it("LeaderFinder.ask() continues when a host names a leader that is not an address", async () => {
    const { domain, code, description, resolution } = sentTo(undefined);
    const misled = new Fault({ domain, code, description, resolution, leader: "\u0000 not:an:address" });
    const { call } = hosts({ node1: misled, node2: "leads" });
    const finder = new LeaderFinder({ accessPoints, known: () => undefined });
    expect(await finder.ask(call, wait)).toBe("node2");
  });

  it("LeaderFinder.ask() asks the last leader first, and learns new access points", async () => {
    const finder = new LeaderFinder({ accessPoints: [at("node1")], known: () => undefined });
    await finder.ask(hosts({ node1: sentTo("node2"), node2: "leads" }).call, wait);
    finder.learn({ accessPoints: ["node2:10001", "node5:10001"], leader: "node2:10001" });
    const moved = hosts({ node2: unreachable, node5: "leads" });
    expect(await finder.ask(moved.call, wait)).toBe("node5");
    expect(moved.asked).toEqual(["node2", "node5"]);
  });

  it("LeaderFinder.ask() uses the election result of this host", async () => {
    const finder = new LeaderFinder({ accessPoints, known: () => at("node3") });
    const { call, asked } = hosts({ node3: "leads" });
    await finder.ask(call, wait);
    expect(asked).toEqual(["node3"]);
  });

  it("LeaderFinder.ask() reports the leader's own refusal, not those of hosts that redirect to it", async () => {
    const finder = new LeaderFinder({ accessPoints, known: () => undefined });
    const notReady = new Fault({
      domain: "system",
      code: FaultCode.systemNotReady,
      description: "no storage yet",
      resolution: "none",
    });
    const { call } = hosts({ node1: notReady, node2: sentTo("node1"), node3: sentTo("node1") });
    await expect(finder.ask(call, wait)).rejects.toBe(notReady);
  });

  it("LeaderFinder.ask() ends at an answer to the request, and throws the last fault when there is no leader", async () => {
    const finder = new LeaderFinder({ accessPoints, known: () => undefined });
    const conflict = new Fault({
      domain: "system",
      code: FaultCode.memberConflict,
      description: "taken",
      resolution: "none",
    });
    const refusing = hosts({ node1: conflict });
    await expect(finder.ask(refusing.call, wait)).rejects.toBe(conflict);
    const none = hosts({ node1: unreachable, node2: unreachable, node3: sentTo(undefined) });
    await expect(finder.ask(none.call, wait)).rejects.toMatchObject({ code: FaultCode.notLeader });
    expect(finder.leader).toBeUndefined();
  });

  it.each([
    ["silent", "silent" as const],
    ["unreachable", unreachable],
  ])(
    "LeaderFinder.ask() asks a host that was %s last, also when it is the known leader",
    async (_name, gone) => {
      const finder = new LeaderFinder({ accessPoints, known: () => undefined });
      finder.learn({ accessPoints: ["node1:10001", "node2:10001", "node3:10001"], leader: "node1:10001" });
      await finder.ask(hosts({ node1: gone, node2: "leads" }).call, wait);
      const later = hosts({ node2: sentTo(undefined), node3: sentTo(undefined), node1: "leads" });
      expect(await finder.ask(later.call, wait)).toBe("node1");
      expect(later.asked).toEqual(["node2", "node3", "node1"]);
      const back = hosts({ node1: "leads" });
      await finder.ask(back.call, wait);
      expect(back.asked).toEqual(["node1"]);
    },
  );

  it("LeaderFinder.ask() waits for a slow leader, and asks it once", async () => {
    const finder = new LeaderFinder({ accessPoints, known: () => undefined });
    const { call, asked } = hosts({
      node1: "leads, and is slow",
      node2: sentTo("node1"),
      node3: sentTo("node1"),
    });
    expect(await finder.ask(call, wait)).toBe("node1");
    expect(asked).toEqual(["node1", "node2", "node3"]);
    expect(finder.leader).toEqual(at("node1"));
  });

  it("LeaderFinder.ask() forgets the leader at the deadline, and ends the calls", async () => {
    const learned: unknown[] = [];
    const finder: LeaderFinder = new LeaderFinder({
      accessPoints: [at("node1")],
      known: () => undefined,
      onLearned: () => learned.push(finder.leader),
    });
    finder.learn({ accessPoints: ["node1:10001"], leader: "node1:10001" });
    using limit = deadline(20, "the request");
    const asking = finder.ask(hosts({ node1: "silent" }).call, { ...wait, signal: limit.signal });
    await expect(asking).rejects.toThrow();
    expect(finder.leader).toBeUndefined();
    expect(learned).toEqual([at("node1"), undefined]);
  });

  it("LeaderFinder.ask() ends pending calls when one has answered", async () => {
    const finder = new LeaderFinder({ accessPoints, known: () => undefined });
    const signals: AbortSignal[] = [];
    const { call } = hosts({ node1: "silent", node2: "leads" });
    await finder.ask((host, until) => {
      signals.push(until.signal);
      return call(host, until);
    }, wait);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true]);
  });

  it("LeaderFinder.ask() uses the given clock", async () => {
    const clock = { ...systemClock, delay: async () => {} };
    const finder = new LeaderFinder({ accessPoints, known: () => undefined, clock });
    const { call } = hosts({ node1: "silent", node2: "leads" });
    expect(await finder.ask(call, { ...wait, hostMs: 3_600_000 })).toBe("node2");
  });
});
