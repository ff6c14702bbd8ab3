import { describe, expect, it } from "vitest";
import { hostNames } from "./host-names.ts";

describe("hostNames", () => {
  it("hostNames() looks up each address once, and omits addresses without a name", async () => {
    const asked: string[] = [];
    const names = await hostNames(
      ["10.0.0.1:10001", "10.0.0.2:10001", "10.0.0.1:10001", "node9:10001", "[fe80::1]:10001"],
      async (address) => {
        asked.push(address);
        if (address === "10.0.0.2") throw new Error("ENOTFOUND");
        return address === "10.0.0.1" ? "node1" : address;
      },
    );
    expect(names).toEqual(new Map([["10.0.0.1:10001", "node1"]]));
    expect(asked).toEqual(["10.0.0.1", "10.0.0.2", "fe80::1"]);
  });

  it("hostNames() does not wait for a name server that hangs", async () => {
    const addresses = Array.from({ length: 100 }, (_, n) => `10.0.0.${n}:10001`);
    const names = await hostNames(
      addresses,
      (address) => (address === "10.0.0.7" ? Promise.resolve("node7") : new Promise(() => {})),
      20,
    );
    expect(names).toEqual(new Map([["10.0.0.7:10001", "node7"]]));
  });
});
