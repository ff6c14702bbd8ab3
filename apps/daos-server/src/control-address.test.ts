import type { SystemDbConfig } from "@daos/config";
import { FaultCode } from "@daos/fault";
import { type HostAddress, parseHostAddress } from "@daos/hostlist";
import { describe, expect, it } from "vitest";
import { controlAddress, refuseLoopback } from "./control-address.ts";

const etcd = { kind: "etcd", endpoints: ["http://e:2379"] } as unknown as SystemDbConfig;
const embedded = { kind: "embedded" } as SystemDbConfig;

/** /etc/hosts as the installers of Red Hat and Debian write it, and a correct one. */
const names: Readonly<Record<string, readonly string[]>> = {
  localhost: ["127.0.0.1", "::1"],
  redhat: ["127.0.0.1"],
  debian: ["127.0.1.1"],
  both: ["127.0.0.1", "10.0.0.1"],
  good: ["10.0.0.1"],
  other: ["10.0.0.2"],
};
const resolve = async (host: string) => {
  const found = /^[\d.]+$/.test(host) ? [host] : names[host];
  if (found === undefined) throw new Error(`no address for ${host}`);
  return found;
};

function options(accessPoints: readonly string[], systemDb = etcd, local = ["127.0.0.1", "::1", "10.0.0.1"]) {
  const addresses = accessPoints.map((text): HostAddress => parseHostAddress(text));
  const config = { port: 10001, accessPoints: addresses, systemDb };
  return { config, isAccessPoint: true, localAddresses: new Set(local), resolve };
}

describe("controlAddress", () => {
  it.each<[string, readonly string[], string]>([
    ["returns its own entry", ["other:10001", "good:10001"], "10.0.0.1"],
    ["returns an address outside the loopback when its name has one", ["both:10001"], "10.0.0.1"],
    [
      "returns an address in the network when its name has only loopback addresses",
      ["redhat:10001"],
      "10.0.0.1",
    ],
    [
      "returns an address in the network when its name is Debian's name of the machine",
      ["debian:10001"],
      "10.0.0.1",
    ],
    ["returns the loopback for localhost", ["localhost:10001"], "127.0.0.1"],
    ["returns a loopback address that the configuration contains", ["127.0.0.1:10001"], "127.0.0.1"],
  ])("controlAddress() %s", async (_name, accessPoints, host) => {
    expect(await controlAddress(options(accessPoints, embedded))).toEqual({ host, port: 10001 });
  });

  it("controlAddress() returns an address in the network when the host is no access point, and the loopback when there is none", async () => {
    const elsewhere = { ...options(["other:10001"]), isAccessPoint: false };
    expect(await controlAddress(elsewhere)).toEqual({ host: "10.0.0.1", port: 10001 });
    const ipv6 = ["127.0.0.1", "::1", "fe80::1", "2001:db8::5"];
    expect(await controlAddress({ ...elsewhere, localAddresses: new Set(ipv6) })).toEqual({
      host: "2001:db8::5",
      port: 10001,
    });
    const alone = options(["redhat:10001"], embedded, ["127.0.0.1"]);
    expect(await controlAddress(alone)).toEqual({ host: "127.0.0.1", port: 10001 });
  });
});

describe("refuseLoopback", () => {
  it.each([
    ["redhat", "127.0.0.1"],
    ["debian", "127.0.1.1"],
  ])(
    "refuseLoopback() throws a fault that names the access point %s and /etc/hosts",
    async (name, address) => {
      await expect(refuseLoopback(options([`${name}:10001`, "other:10001"]))).rejects.toMatchObject({
        code: FaultCode.accessPointLoopback,
        description: `the access point ${name} has the address ${address} on this host`,
        resolution: expect.stringContaining("/etc/hosts"),
      });
    },
  );

  it.each<[string, readonly string[], SystemDbConfig?]>([
    ["names with an address in the network", ["good:10001", "both:10001", "other:10001"]],
    ["several servers on one machine", ["localhost:10001", "localhost:10002"]],
    ["loopback addresses in the configuration", ["127.0.0.1:10001", "127.0.0.2:10001"]],
    ["unknown names", ["good:10001", "unknown:10001"]],
    ["the only access point", ["redhat:10001"]],
    ["a leader that is not elected", ["redhat:10001", "other:10001"], embedded],
  ])("refuseLoopback() accepts %s", async (_name, accessPoints, systemDb) => {
    await refuseLoopback(options(accessPoints, systemDb));
  });
});
