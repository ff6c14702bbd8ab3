import { afterEach, describe, expect, it, vi } from "vitest";
import { type Lookup, resolveHosts } from "./resolve-hosts.ts";

const members = async () => ["10.0.0.1:10001", "10.0.0.2:10001", "[fd00::3]:10001", "node9:10001"];
const names: Readonly<Record<string, readonly string[]>> = {
  node1: ["fd00::1", "10.0.0.1"],
  node3: ["fd00::3", "10.0.0.3"],
  both: ["10.0.0.1", "10.0.0.2"],
  elsewhere: ["10.9.9.9"],
};
const lookup: Lookup = async (host) => {
  const found = names[host];
  if (found === undefined) throw new Error("ENOTFOUND");
  return found;
};

describe("resolveHosts", () => {
  afterEach(() => vi.useRealTimers());

  it.each([
    ["a name", ["node1:10001"], ["10.0.0.1:10001"]],
    ["one of IPv6", ["node3:10001"], ["[fd00::3]:10001"]],
    ["a name of two members", ["both:10001", "node1:10001"], ["10.0.0.1:10001", "10.0.0.2:10001"]],
    ["a name on another port", ["node1:20001"], ["node1:20001"]],
    ["a name without a member", ["elsewhere:10001"], ["elsewhere:10001"]],
    ["no name at all", ["nosuch:10001"], ["nosuch:10001"]],
    ["a name that members have", ["node9:10001"], ["node9:10001"]],
    ["addresses beside names", ["10.0.0.7:10001", "node1:10001"], ["10.0.0.7:10001", "10.0.0.1:10001"]],
  ])("resolveHosts() resolves %s", async (_what, hosts, expected) => {
    expect(await resolveHosts({ ranks: [1], hosts }, members, lookup)).toEqual({
      ranks: [1],
      hosts: expected,
    });
  });

  it("resolveHosts() makes no request when there are only addresses, or none", async () => {
    const fail = () => Promise.reject(new Error("asked"));
    const addresses = { ranks: [], hosts: ["10.0.0.1:10001", "[::1]:10001"] };
    expect(await resolveHosts(addresses, fail, fail)).toBe(addresses);
    expect(await resolveHosts({ ranks: [1] }, fail, fail)).toEqual({ ranks: [1] });
  });

  it("resolveHosts() ends at its deadline, and waits for two names no longer than for one", async () => {
    vi.useFakeTimers();
    const slow: Lookup = () => new Promise(() => {});
    const hosts = ["slow1:1", "slow2:1"];
    const resolved = resolveHosts({ hosts }, members, slow);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await resolved).toEqual({ ranks: undefined, hosts });
  });
});
