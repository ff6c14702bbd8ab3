import { execFile } from "node:child_process";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { createClient, createRouterTransport } from "@connectrpc/connect";
import { silentLogger } from "@daos/log";
import { ctl, grpc, mgmt, reflection, reflectionAlpha } from "@daos/proto";
import { grpcHandlers } from "@daos/rpc/server";
import { createGrpcServer, type GrpcServer } from "@daos/security";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { reflectionService } from "./reflection-service.ts";

const services = [
  ctl.MgmtCtl,
  mgmt.MgmtSvc,
  grpc.Health,
  reflection.ServerReflection,
  reflectionAlpha.ServerReflection,
];
const { v1, v1alpha } = reflectionService(services);
type Question = reflection.ServerReflectionRequest["messageRequest"];

/** The answers to some questions in one stream. */
async function ask(...questions: Question[]) {
  const transport = createRouterTransport((router) => router.service(reflection.ServerReflection, v1));
  const client = createClient(reflection.ServerReflection, transport);
  const requests = (async function* () {
    for (const messageRequest of questions) yield { messageRequest };
  })();
  const answers: reflection.ServerReflectionResponse["messageResponse"][] = [];
  for await (const { messageResponse } of client.serverReflectionInfo(requests))
    answers.push(messageResponse);
  return answers;
}

function filesIn(answer: reflection.ServerReflectionResponse["messageResponse"] | undefined): string[] {
  if (answer?.case !== "fileDescriptorResponse") throw new Error(`not files: ${answer?.case}`);
  return answer.value.fileDescriptorProto.map((file) => fromBinary(FileDescriptorProtoSchema, file).name);
}

describe("reflectionService", () => {
  it("reflectionService() finds the file of a symbol with all that it imports", async () => {
    for (const symbol of [
      "ctl.MgmtCtl",
      "ctl.MgmtCtl.StorageScan",
      "ctl.SupportCollectEvent.Progress",
      "ctl.SystemEvent.severity",
    ]) {
      const [answer] = await ask({ case: "fileContainingSymbol", value: symbol });
      expect(filesIn(answer)[0], symbol).toMatch(/^ctl\/(control|server|system)\.proto$/);
    }
    const [control] = await ask({ case: "fileContainingSymbol", value: "ctl.MgmtCtl" });
    expect(filesIn(control)).toEqual(
      expect.arrayContaining([
        "ctl/control.proto",
        "ctl/storage.proto",
        "ctl/storage_nvme.proto",
        "ctl/fault.proto",
      ]),
    );
  });

  it("reflectionService() answers each question of a stream, also those that it cannot", async () => {
    const answers = await ask(
      { case: "fileByFilename", value: "mgmt/pool.proto" },
      { case: "fileByFilename", value: "/etc/passwd" },
      { case: "fileContainingSymbol", value: "no.Such" },
      { case: "allExtensionNumbersOfType", value: "ctl.SystemEvent" },
      { case: undefined },
    );
    expect(filesIn(answers[0])).toContain("mgmt/pool.proto");
    expect(answers.slice(1)).toMatchObject(
      [5, 5, 5, 3].map((errorCode) => ({ case: "errorResponse", value: { errorCode } })),
    );
  });
});

/** The server's own guard and handlers, without TLS. */
describe("reflectionService(), for a reading tool: it", () => {
  let server: GrpcServer;
  let url = "";
  beforeAll(async () => {
    const handlers = grpcHandlers({
      readMaxBytes: 65_536,
      routes: (router) => {
        router.service(reflection.ServerReflection, v1);
        router.service(reflectionAlpha.ServerReflection, v1alpha);
        router.service(grpc.Health, { check: () => ({ status: 1 }) });
      },
    });
    const none = join(import.meta.dirname, "none");
    server = await createGrpcServer({
      transport: {
        allowInsecure: true,
        serverName: "server",
        clientCertDir: none,
        caCert: none,
        cert: none,
        key: none,
      },
      log: silentLogger,
      ...handlers,
    });
    server.server.listen(0, "127.0.0.1");
    await once(server.server, "listening");
    url = `http://127.0.0.1:${(server.server.address() as AddressInfo).port}`;
  });
  afterAll(() => server.close({ graceMs: 100 }));

  const buf = join(import.meta.dirname, "../../../node_modules/.bin/buf");
  const curl = async (...args: string[]) =>
    (await promisify(execFile)(buf, ["curl", "--http2-prior-knowledge", "--protocol", "grpc", ...args]))
      .stdout;

  it.each(["grpc-v1", "grpc-v1alpha"])(
    "lists services and calls, and calls one, with %s",
    async (protocol) => {
      const how = ["--reflect-protocol", protocol];
      expect((await curl(...how, "--list-services", url)).trim().split("\n")).toEqual(
        services.map(({ typeName }) => typeName).toSorted(),
      );
      expect(await curl(...how, "--list-methods", url)).toContain("ctl.MgmtCtl/StorageScan");
      expect(JSON.parse(await curl(...how, "-d", "{}", `${url}/grpc.health.v1.Health/Check`))).toEqual({
        status: "SERVING",
      });
    },
  );
});
