import { once } from "node:events";
import { constants, createServer, type OutgoingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { formatHostAddress } from "@daos/hostlist";
import { MISBEHAVING_PEERS, RawServer } from "@daos/http2/testing";
import { describe, expect, it } from "vitest";
import { EtcdClient } from "./etcd-client.ts";
import { type CallOutcome, EtcdError } from "./etcd-error.ts";
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

describe("EtcdClient, whose endpoint answers a change", () => {
  const headers = { ":status": 200, "content-type": "application/grpc" };
  const done = (body: Uint8Array) => (stream: ServerHttp2Stream) => {
    stream.once("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.respond(headers, { waitForTrailers: true });
    stream.end(body);
  };
  const only = (fields: OutgoingHttpHeaders) => (stream: ServerHttp2Stream) =>
    stream.respond({ ...headers, ...fields }, { endStream: true });

  it.each<readonly [string, (stream: ServerHttp2Stream) => void, CallOutcome]>([
    ["with a status that refuses it", only({ "grpc-status": "9" }), "refused"],
    ["as a proxy that does not let it pass", only({ ":status": 403 }), "refused"],
    ["without a message, as done", done(Buffer.alloc(0)), "unknown"],
    ["with half a message, as done", done(Buffer.of(0, 0, 0, 0, 9, 1)), "unknown"],
    ["with two messages, as done", done(Buffer.alloc(10)), "unknown"],
    ["with a message that is too large", done(Buffer.of(0, 255, 0, 0, 0, 1)), "unknown"],
  ])("%s: EtcdClient knows whether it may have been done", async (_name, answer, outcome) => {
    const server = createServer().on("stream", (stream) => {
      stream.on("error", () => {}).resume();
      answer(stream);
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    const endpoints = [`http://127.0.0.1:${(server.address() as AddressInfo).port}`];
    using client = new EtcdClient({ endpoints, connectTimeoutMs: 20_000, callTimeoutMs: 20_000 });
    await expect(client.put({ key: bytes("/x") }, wait())).rejects.toMatchObject({ outcome });
    server.close();
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
