#!/usr/bin/env bash
# @connectrpc/connect and connect-node 2.2.0: a gRPC call with a deadline of 100,000 s or more is refused by Connect's own
# server.
#
# Guess: a client writes a long timeoutMs in a larger unit, as grpc-go does (at most 8 digits, then m becomes S, M, H).
# Seen:  it always writes milliseconds. 27 hours arrive as 97200000m; 28 hours are sent as 100800000m, nine digits, which
#        the gRPC protocol does not allow: "protocol error: invalid grpc timeout value: 100800000m" (invalid_argument).
#        From 2^31 ms (24.8 days) on the call ends at once with deadline_exceeded, before anything is sent.
# So:    a burn-in of two days needs its deadline on the client alone: no timeoutMs above 99,999,999, and an AbortSignal.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --prefix "$work" @connectrpc/connect@2.2.0 @connectrpc/connect-node@2.2.0 @bufbuild/protobuf@2.17.0 >/dev/null
cat >calls.mjs <<'JS'
import { createServer } from "node:http2";
import { create, createFileRegistry } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema, file_google_protobuf_empty } from "@bufbuild/protobuf/wkt";
import { Code, createClient } from "@connectrpc/connect";
import { connectNodeAdapter, createGrpcTransport } from "@connectrpc/connect-node";

const EMPTY = ".google.protobuf.Empty";
const file = create(FileDescriptorProtoSchema, {
  name: "wait.proto",
  package: "wait",
  syntax: "proto3",
  dependency: ["google/protobuf/empty.proto"],
  service: [{ name: "Wait", method: [{ name: "Once", inputType: EMPTY, outputType: EMPTY }] }],
});
const set = create(FileDescriptorSetSchema, { file: [file_google_protobuf_empty.proto, file] });
const service = createFileRegistry(set).getService("wait.Wait");
const received = [];
const once = (_request, context) => {
  received.push(context.requestHeader.get("grpc-timeout"));
  return {};
};
const server = createServer(connectNodeAdapter({ routes: (router) => router.service(service, { once }) }));
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
const client = createClient(service, createGrpcTransport({ baseUrl: `http://127.0.0.1:${server.address().port}` }));
for (const hours of [27, 28, 600]) {
  const result = await client.once({}, { timeoutMs: hours * 3_600_000 }).then(
    () => `received ${received.at(-1)}`,
    (error) => `${Code[error.code]}: ${error.rawMessage}`,
  );
  console.log(`${hours} h: ${result}`);
}
process.exit();
JS
cat >expected <<'TEXT'
27 h: received 97200000m
28 h: InvalidArgument: protocol error: invalid grpc timeout value: 100800000m
600 h: DeadlineExceeded: the operation timed out
TEXT
node --no-warnings calls.mjs | tee seen
cmp seen expected || { echo "changed: see above"; exit 1; }
