import { describe, expect, it } from "vitest";
import { mayDirect } from "./may-direct.ts";

const addresses: Readonly<Record<string, readonly string[]>> = {
  "ap-1": ["10.0.0.1", "10.1.0.1"],
  "new-leader": ["10.0.0.3"],
};

describe("mayDirect()", () => {
  const hosts = ["ap-1", "gone", "10.0.0.9"].map((host) => ({ host, port: 10001 }));
  const check = mayDirect({
    hosts: () => hosts,
    localAddresses: () => new Set(["10.0.0.50"]),
    resolve: async (host) => {
      const found = addresses[host];
      if (found === undefined) throw new Error(`ENOTFOUND ${host}`);
      return found;
    },
  });
  const { signal } = new AbortController();

  it.each(["10.0.0.1", "10.1.0.1", "10.0.0.9", "10.0.0.50", "127.0.0.1"])(
    "mayDirect() accepts %s, which belongs to an access point or to this host",
    async (address) => {
      expect(await check(address, { signal })).toBe(true);
    },
  );

  it.each(["10.0.0.2", "", "ap-1.example", "10.0.0.3"])("mayDirect() refuses %j", async (address) => {
    expect(await check(address, { signal })).toBe(false);
  });

  it("mayDirect() accepts a leader when it has become known since the last call", async () => {
    expect(await check("10.0.0.3", { signal })).toBe(false);
    hosts.push({ host: "new-leader", port: 10001 });
    expect(await check("10.0.0.3", { signal })).toBe(true);
  });
});
