import { once } from "node:events";
import { constants, createServer, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { formatHostAddress } from "@daos/hostlist";
import { MISBEHAVING_PEERS, RawServer } from "@daos/http2/testing";
import { describe, expect, it } from "vitest";
import { EtcdClient } from "./etcd-client.ts";
import { EtcdError } from "./etcd-error.ts";
import { bytes } from "./keys.ts";

const wait = () => ({ signal: AbortSignal.timeout(50_000) });

describe("EtcdClient, one of whose endpoints ends,", () => {
  it("EtcdClient sends a change to the next member when the first has not taken it", async () => {
    const reached: number[] = [];
    const members = [
      (stream: ServerHttp2Stream) => stream.close(constants.NGHTTP2_REFUSED_STREAM),
      (stream: ServerHttp2Stream) => {
        stream.once("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
        stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
        stream.end(Buffer.alloc(5));
      },
    ].map((answer, index) =>
      createServer().on("stream", (stream) => {
        reached.push(index);
        stream.on("error", () => {}).resume();
        answer(stream);
      }),
    );
    for (const member of members) await once(member.listen(0, "127.0.0.1"), "listening");
    const endpoints = members.map((member) => `http://127.0.0.1:${(member.address() as AddressInfo).port}`);
    using client = new EtcdClient({ endpoints, connectTimeoutMs: 20_000, callTimeoutMs: 20_000 });
    await client.put({ key: bytes("/x") }, wait());
    expect(reached).toEqual([0, 1]);
    for (const member of members) member.close();
  });
});

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
