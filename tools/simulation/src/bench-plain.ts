import { readFileSync } from "node:fs";
import { createSecureServer, createServer, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { create, type DescMessage, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { ctl, mgmt } from "@daos/proto";
import { MEMBERS_BENCHED, memberMessage } from "./bench-members.ts";

/** The answer of a path: fixed, or made for each call. */
type Answer = (request: Buffer) => Uint8Array;

/**
 * A minimal server on node:http2 for the same calls: it reads the message and answers, without any checks. Lists are encoded
 * once. The additional cost of the real server is our own.
 *
 * @param directory of the certificates; empty for plain text
 */
export async function runPlain(directory = ""): Promise<void> {
  const members = Array.from({ length: MEMBERS_BENCHED }, (_, rank) => memberMessage(rank));
  const answers: Readonly<Record<string, Answer>> = {
    "/mgmt.MgmtSvc/LeaderQuery": (request) => {
      fromBinary(mgmt.LeaderQueryReqSchema, request);
      return encode(mgmt.LeaderQueryRespSchema, {
        currentLeader: "127.0.0.1:10001",
        replicas: ["127.0.0.1:10001"],
      });
    },
    "/ctl.MgmtCtl/SystemMemberQuery": always(encode(ctl.SystemMemberQueryRespSchema, { members })),
    "/mgmt.MgmtSvc/GetAttachInfo": always(
      encode(mgmt.GetAttachInfoRespSchema, {
        psrs: members.slice(0, 300).map(({ rank = 0, uri = "" }) => ({ rank, uri })),
      }),
    ),
  };
  const file = (name: string) => readFileSync(join(directory, name));
  const server =
    directory === ""
      ? createServer()
      : createSecureServer({
          ca: file("server-ca.crt"),
          cert: file("server.crt"),
          key: file("server.key"),
          requestCert: true,
        });
  server.on("stream", (stream, headers) => serve(stream, answers[headers[":path"] ?? ""]));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  process.send?.({ port: (server.address() as AddressInfo).port });
}

function serve(stream: ServerHttp2Stream, answer: Answer | undefined): void {
  const chunks: Buffer[] = [];
  stream.on("error", () => {});
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  stream.on("end", () => {
    if (answer === undefined) return stream.close();
    stream.once("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.respond({ ":status": 200, "content-type": "application/grpc+proto" }, { waitForTrailers: true });
    stream.end(answer(Buffer.concat(chunks).subarray(5)));
  });
}

const always = (bytes: Uint8Array) => () => bytes;

function encode<T extends DescMessage>(schema: T, message: MessageInitShape<T>): Uint8Array {
  const bytes = toBinary(schema, create(schema, message));
  const frame = Buffer.alloc(bytes.length + 5);
  frame.writeUInt32BE(bytes.length, 1);
  frame.set(bytes, 5);
  return frame;
}
