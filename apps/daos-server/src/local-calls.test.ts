import { MgmtClient } from "@daos/control-client";
import { FaultCode } from "@daos/fault";
import { formatHostAddress } from "@daos/hostlist";
import { peerAddressKey } from "@daos/mgmt-service";
import { mgmt } from "@daos/proto";
import { describe, expect, it } from "vitest";
import { localTransport, ownAddresses } from "./local-calls.ts";

const self = { host: "10.0.0.1", port: 10001 };
const NAMES: Readonly<Record<string, readonly string[]>> = {
  node1: ["192.168.0.1", "10.0.0.1"],
  node2: ["10.0.0.2"],
};
const resolve = async (host: string) => {
  const found = NAMES[host];
  if (found === undefined) throw new Error(`getaddrinfo ENOTFOUND ${host}`);
  return found;
};

describe("ownAddresses()", () => {
  it.each([
    ["none else", [], ["10.0.0.1:10001"]],
    ["a name of its own", [{ host: "node1", port: 10001 }], ["10.0.0.1:10001", "node1:10001"]],
    ["not another port of it", [{ host: "node1", port: 10002 }], ["10.0.0.1:10001"]],
    [
      "not another host or an unknown one",
      ["node2", "node9"].map((host) => ({ host, port: 10001 })),
      ["10.0.0.1:10001"],
    ],
  ])("ownAddresses() gives the control address and %s", async (_, accessPoints, expected) => {
    expect((await ownAddresses({ self, accessPoints, resolve })).map(formatHostAddress)).toEqual(expected);
  });
});

describe("localTransport()", () => {
  const join = {
    uuid: "9d5c2f6e-3f0f-4a31-8f41-1c7d6c0a7b11",
    uri: "ofi+sockets://10.0.0.1:31416",
    nctxs: 1,
  };
  const message = {
    ...join,
    rank: 0,
    addr: "0.0.0.0:10001",
    faultDomain: "/a",
    reports: true,
    recorded: false,
    engineNumber: 1,
  };
  const wait = { signal: AbortSignal.timeout(10_000) };
  const client = () => {
    const callers: string[] = [];
    const calls = new MgmtClient(() => Promise.reject(new Error("no certificate is needed")));
    const transport = localTransport(self, (router) =>
      router.rpc(mgmt.MgmtSvc.method.join, ({ rank }, { values }) => {
        callers.push(values.get(peerAddressKey));
        return { rank };
      }),
    );
    calls.answerLocally(self, transport);
    return { calls, callers };
  };

  it("localTransport() answers calls of this process without a connection, and shows this host as their caller", async () => {
    const { calls, callers } = client();
    expect(await calls.join(self, message, wait)).toMatchObject({ rank: 0 });
    expect(callers).toEqual(["10.0.0.1"]);
    await expect(calls.join({ host: "10.0.0.1", port: 10002 }, message, wait)).rejects.toThrow(
      "no certificate",
    );
  });

  it("localTransport() checks every field like a call from outside", async () => {
    const { calls, callers } = client();
    await expect(calls.join(self, { ...message, uuid: "{" }, wait)).rejects.toMatchObject({
      code: FaultCode.requestInvalid,
    });
    expect(callers).toEqual([]);
  });
});
