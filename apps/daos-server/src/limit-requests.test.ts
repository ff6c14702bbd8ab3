import { connect } from "node:http2";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { create, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { silentLogger } from "@daos/log";
import { ctl, mgmt } from "@daos/proto";
import { faultInterceptor } from "@daos/rpc";
import { grpcHandlers } from "@daos/rpc/server";
import { createGrpcServer, DEFAULT_LIMITS, type GrpcServer } from "@daos/security";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { limitedService, limitInterceptor } from "./limit-requests.ts";

let running: GrpcServer;
let url = "";
let seen: object[] = [];
const take = <T extends object>(request: T) => {
  seen.push(request);
  return {};
};

beforeEach(async () => {
  seen = [];
  const handlers = grpcHandlers({
    readMaxBytes: DEFAULT_LIMITS.maxMessageBytes,
    interceptors: [faultInterceptor, limitInterceptor],
    routes: (router) => {
      limitedService(router, mgmt.MgmtSvc, { join: take, reportEngines: take, getAttachInfo: take });
      limitedService(router, ctl.MgmtCtl, {
        async *networkScanDevices(request) {
          yield take(request);
        },
      });
    },
  });
  running = await createGrpcServer({
    transport: { allowInsecure: true } as never,
    log: silentLogger,
    ...handlers,
  });
  await new Promise<void>((resolve) => running.server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(running.server.address() as AddressInfo).port}`;
});
afterEach(() => running.close({ graceMs: 0 }));

const JOIN = {
  uuid: "00000000-0000-4000-8000-000000000001",
  rank: 0,
  uri: "ofi+sockets://10.0.0.1:31416",
  nctxs: 3,
  addr: "0.0.0.0:10001",
  recorded: true,
};

async function codeOf(call: Promise<unknown>): Promise<string> {
  const error: unknown = await call.catch((reason: unknown) => reason);
  if (!(error instanceof ConnectError)) throw new Error("it succeeded");
  return `${Code[error.code]} ${error.rawMessage}`;
}

describe("limitInterceptor", () => {
  const transport = () => createGrpcTransport({ baseUrl: url });

  it.each([
    ["rank", { ...JOIN, rank: 4294967295 }, "rank of /mgmt.MgmtSvc/Join is 4294967295"],
    ["uuid", { ...JOIN, uuid: "{" }, 'uuid of /mgmt.MgmtSvc/Join is "{"'],
    ["uri", { ...JOIN, uri: `ofi://${"x".repeat(3000)}` }, "(3006 characters)"],
  ])(
    "limitInterceptor refuses a Join before the service gets it when its %s exceeds its limit",
    async (_, request, text) => {
      const client = createClient(mgmt.MgmtSvc, transport());
      const refusal = await codeOf(client.join(request));
      expect(refusal).toMatch(/^InvalidArgument /);
      expect(refusal).toContain(text);
      expect(seen).toEqual([]);
      await client.join(JOIN);
      expect(seen).toHaveLength(1);
    },
  );

  it("limitInterceptor refuses the request of a stream when a field exceeds its limit", async () => {
    const client = createClient(ctl.MgmtCtl, transport());
    const all = (provider: string) => Array.fromAsync(client.networkScanDevices({ provider }));
    expect(await codeOf(all("x\u0007"))).toMatch(/^InvalidArgument /);
    expect(seen).toEqual([]);
    expect(await all("ofi+sockets")).toHaveLength(1);
  });
});

describe("limitedService", () => {
  it("limitedService() refuses a request when it is too large, compressed or not", async () => {
    const client = createClient(mgmt.MgmtSvc, createGrpcTransport({ baseUrl: url }));
    expect(await codeOf(client.getAttachInfo({ sys: "x".repeat(100_000) }))).toContain(
      "a request of /mgmt.MgmtSvc/GetAttachInfo has 100004 bytes or more",
    );
    const body = toBinary(
      mgmt.GetAttachInfoReqSchema,
      create(mgmt.GetAttachInfoReqSchema, { sys: "x".repeat(100_000) }),
    );
    const squeezed = gzipSync(body);
    const message = Buffer.concat([Buffer.from([1, 0, 0, 0, 0]), squeezed]);
    message.writeUInt32BE(squeezed.length, 1);
    expect(await rawCall(message)).toBe("8");
    expect(seen).toEqual([]);
  });
});

/** The status of a call with this compressed body. */
async function rawCall(body: Uint8Array): Promise<unknown> {
  const session = connect(url);
  const stream = session.request({
    ":method": "POST",
    ":path": "/mgmt.MgmtSvc/GetAttachInfo",
    "content-type": "application/grpc",
    "grpc-encoding": "gzip",
    te: "trailers",
  });
  stream.end(body);
  try {
    return await new Promise((resolve, reject) => {
      const status = (headers: { readonly [name: string]: unknown }) => {
        if (headers["grpc-status"] !== undefined) resolve(headers["grpc-status"]);
      };
      stream.on("response", status).on("trailers", status).on("error", reject);
      stream.resume();
    });
  } finally {
    session.destroy();
  }
}
