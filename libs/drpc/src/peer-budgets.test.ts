import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { drpcMethods } from "./drpc-methods.ts";
import { handle } from "./drpc-module.ts";
import { encodeCall } from "./envelope.ts";
import { DEFAULT_PEER_LIMITS, PeerBudgets } from "./peer-budgets.ts";
import { SocketFixture } from "./testing/socket-fixture.ts";

const fixture = new SocketFixture();
beforeEach(() => fixture.open());
afterEach(() => fixture.close());

const OWN = process.getuid?.() ?? 0;
const STRANGER = OWN + 1000;
const { module, method } = drpcMethods.setRank;
const echo = () => handle(drpcMethods.setRank, () => ({ status: 0 }));

describe("PeerBudgets", () => {
  const limits = { sessions: 2, messages: 10, messagesPerSecond: 100, bytes: 1000, bytesPerSecond: 1000 };
  let now = 0;
  const peer = { pid: 1, uid: OWN, gid: 0 };
  const enter = (budgets: PeerBudgets, who = peer) => {
    const budget = budgets.enter(who);
    if (budget === undefined) throw new Error("it is refused");
    return budget;
  };
  beforeEach(() => {
    now = 0;
  });

  it("take() lets a burst through, then returns the pause until the peer's budget is refilled", () => {
    const budget = enter(new PeerBudgets(limits, () => now));
    for (let call = 0; call < 10; call++) expect(budget.take(1)).toBe(0);
    expect(budget.take(1)).toBeCloseTo(10);
    now = 1000;
    expect(budget.take(1)).toBe(0);
  });

  it("take() counts bytes as well as messages", () => {
    const budget = enter(new PeerBudgets(limits, () => now));
    expect(budget.take(1000)).toBe(0);
    expect(budget.take(500)).toBeCloseTo(500);
  });

  it("take() continues to count when the peer connects again", () => {
    const budgets = new PeerBudgets(limits, () => now);
    const first = enter(budgets);
    first.take(1000);
    first.leave();
    expect(enter(budgets).take(200)).toBeCloseTo(200);
  });

  it("enter() refuses a process its third session, and takes that of another process", () => {
    const budgets = new PeerBudgets(limits, () => now);
    const first = enter(budgets);
    enter(budgets);
    expect(budgets.enter(peer)).toBeUndefined();
    expect(budgets.enter({ ...peer, pid: 2 })).toBeDefined();
    first.leave();
    expect(budgets.enter(peer)).toBeDefined();
  });

  it("enter() counts the processes of another user as one peer", () => {
    const budgets = new PeerBudgets(limits, () => now);
    for (const pid of [1, 2]) enter(budgets, { pid, uid: STRANGER, gid: 0 });
    expect(budgets.enter({ pid: 3, uid: STRANGER, gid: 0 })).toBeUndefined();
    expect(budgets.enter({ pid: 3, uid: STRANGER + 1, gid: 0 })).toBeDefined();
  });
});

describe("DrpcServer, with a peer that sends too much,", () => {
  it("refuses further sessions of a process, and serves another process", async () => {
    const server = await fixture.serve([echo()], { peerLimits: { sessions: 3 } });
    const clients = await Promise.all([1, 2, 3].map(() => fixture.connect()));
    for (const client of clients) await client.call(drpcMethods.setRank, { rank: 1 });
    expect(server.sessions).toBe(3);
    const fourth = await fixture.rawPeer();
    expect(await fourth.next()).toBeUndefined();
    const other = fixture.python();
    await other.do("connect", { path: fixture.path });
    await other.do("call", { module, method, sequence: 1, body: "0801" });
    expect(await other.do("recv")).toMatchObject({ 1: 1 });
    clients[0]?.close();
    await expect.poll(() => server.sessions).toBe(3);
    await (await fixture.connect()).call(drpcMethods.setRank, { rank: 1 });
  });

  it.each([
    ["calls", { messages: 20, messagesPerSecond: 0.1 }, 1, 21],
    ["bytes", { bytes: 20_000, bytesPerSecond: 1 }, 10_000, 2],
  ] as const)(
    "does not read a peer that has used up its %s, and serves another process",
    async (_, limits, size, expected) => {
      let served = 0;
      await fixture.serve(
        [
          handle(drpcMethods.poolGetAcl, () => {
            served++;
            return {};
          }),
          echo(),
        ],
        { peerLimits: limits },
      );
      const flood = await fixture.rawPeer();
      const call = encodeCall(
        module,
        drpcMethods.poolGetAcl.method,
        1n,
        Uint8Array.from([10, ...lengthOf(size), ...new Uint8Array(size).fill(97)]),
      );
      for (let sent = 0; sent < 100; sent++) flood.send(call);
      await expect.poll(() => served).toBeGreaterThanOrEqual(expected);
      const other = fixture.python();
      await other.do("connect", { path: fixture.path });
      for (let turn = 0; turn < 5; turn++) {
        await other.do("call", { module, method, sequence: 1, body: "0801" });
        expect(await other.do("recv")).toMatchObject({ 1: 1 });
      }
      expect(served).toBe(expected);
    },
  );

  it("has limits that a peer with a burst of 10,000 small calls does not reach", () => {
    const budget = new PeerBudgets(DEFAULT_PEER_LIMITS, () => 0).enter({ pid: 1, uid: OWN, gid: 0 });
    for (let call = 0; call < 10_000; call++) expect(budget?.take(300)).toBe(0);
  });
});

/** As protobuf writes it. */
function lengthOf(size: number): readonly number[] {
  return size < 128 ? [size] : [(size & 127) | 128, size >> 7];
}
