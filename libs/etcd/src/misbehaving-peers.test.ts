import { formatHostAddress } from "@daos/hostlist";
import { MISBEHAVING_PEERS, RawServer } from "@daos/http2/testing";
import { describe, expect, it } from "vitest";
import { EtcdClient } from "./etcd-client.ts";
import { EtcdError } from "./etcd-error.ts";
import { bytes } from "./keys.ts";

const wait = () => ({ signal: AbortSignal.timeout(50_000) });

// An error without a listener would be uncaught and fail the test run.
describe.each(MISBEHAVING_PEERS)("EtcdClient, whose endpoint is $name", ({ handle, isSilent }) => {
  const timeoutMs = isSilent === true ? 300 : 20_000;
  const timeouts = { connectTimeoutMs: timeoutMs, callTimeoutMs: timeoutMs };

  it.each(["http", "https"])("fails a read over %s with an EtcdError", async (scheme) => {
    await using server = await RawServer.start(handle);
    const endpoints = [`${scheme}://${formatHostAddress(server.host)}`];
    const short = scheme === "https" ? { connectTimeoutMs: 300 } : {};
    using client = new EtcdClient({ endpoints, ...timeouts, ...short });
    const reading = client.range({ key: bytes("/x") }, wait());
    await expect(reading).rejects.toBeInstanceOf(EtcdError);
  });

  it("never reports a change, a lease or a watch as successful", async () => {
    await using server = await RawServer.start(handle);
    using client = new EtcdClient({ endpoints: [`http://${formatHostAddress(server.host)}`], ...timeouts });
    await expect(client.put({ key: bytes("/x") }, wait())).rejects.toBeInstanceOf(EtcdError);
    await expect(client.leaseKeepAlive(7n, wait())).rejects.toBeInstanceOf(EtcdError);
    const watching = async () => {
      const signal = isSilent === true ? AbortSignal.timeout(500) : wait().signal;
      for await (const response of client.watch({ key: bytes("/x") }, { signal })) return response;
      return undefined;
    };
    await expect(watching()).rejects.toThrow();
  });
});
