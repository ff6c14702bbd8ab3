import { describe, expect, it } from "vitest";
import { replicaRole } from "./replica-role.ts";

describe("replicaRole", () => {
  const options = {
    port: 10001,
    localAddresses: new Set(["127.0.0.1", "::1", "10.0.0.2"]),
    resolve: async (host: string) => {
      const known: Record<string, string[]> = {
        localhost: ["127.0.0.1"],
        node1: ["10.0.0.1"],
        node2: ["10.0.0.2"],
        debian: ["127.0.1.1"],
      };
      const found = known[host];
      if (found === undefined) throw new Error(`ENOTFOUND ${host}`);
      return found;
    },
  };
  const at = (host: string, port = 10001) => ({ host, port });

  it.each([
    [[at("localhost")], "bootstrap"],
    [[at("node1"), at("node2")], "replica"],
    [[at("debian")], "bootstrap"],
    [[at("node1")], "none"],
    [[at("localhost", 10002)], "none"],
    [[at("nowhere", 10002), at("node2")], "replica"],
  ] as const)("%j is %s", async (accessPoints, role) => {
    expect(await replicaRole(accessPoints, options)).toBe(role);
  });

  it("names an access point that does not resolve", async () => {
    await expect(replicaRole([at("nowhere")], options)).rejects.toThrow(
      "access point nowhere cannot be resolved",
    );
  });
});
