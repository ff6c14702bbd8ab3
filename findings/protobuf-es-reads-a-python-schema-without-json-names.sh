#!/usr/bin/env bash
# @bufbuild/protobuf 2.17.0 with the schema of a Python program (protobuf 3.21.12, Debian 12): in JSON all fields have the same name.
#
# Guess: createFileRegistry() derives json_name where a descriptor has none, as protoc does, so that messages of a schema from
#        another program, for example by gRPC server reflection, can be shown as JSON.
# Seen:  the descriptors in Python's generated code have no json_name, and toJson() then uses the empty text for every field: of
#        four values one is left, {"":"A"}. No error. fromJson() refuses "typeUrl" as unknown, and takes "type_url". Binary
#        works, and so does a schema of protoc --descriptor_set_out, which has the names.
# So:    a tool that reads schemas of servers sets jsonName first, with protoCamelCase() of @bufbuild/protobuf/reflect.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get download python3-protobuf=3.21.12-3+deb12u1 >/dev/null 2>&1
dpkg -x python3-protobuf_*.deb root
npm install --silent --prefix "$work" @bufbuild/protobuf@2.17.0 >/dev/null 2>&1
PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION=python PYTHONPATH=root/usr/lib/python3/dist-packages /usr/bin/python3 -c '
from google.protobuf import any_pb2, descriptor_pb2, json_format, source_context_pb2, type_pb2
files = [descriptor_pb2.FileDescriptorProto.FromString(module.DESCRIPTOR.serialized_pb)
    for module in (any_pb2, source_context_pb2, type_pb2)]
open("schema", "wb").write(descriptor_pb2.FileDescriptorSet(file=files).SerializeToString())
field = type_pb2.Field(name="a", number=5, type_url="u", json_name="A")
open("message", "wb").write(field.SerializeToString())
print("Python:     ", json_format.MessageToJson(field, indent=None))'
cat >read.mjs <<'JS'
import { readFileSync } from "node:fs";
import { createFileRegistry, fromBinary, fromJson, toJsonString } from "@bufbuild/protobuf";
import { protoCamelCase } from "@bufbuild/protobuf/reflect";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";

const schema = fromBinary(FileDescriptorSetSchema, readFileSync("schema"));
const show = (name) => {
  const type = createFileRegistry(schema).getMessage("google.protobuf.Field");
  console.log(name, toJsonString(type, fromBinary(type, readFileSync("message"))));
  try {
    console.log("  reads", fromJson(type, { typeUrl: "u" }).typeUrl);
  } catch (error) {
    console.log(" ", error.message);
  }
};
show("protobuf-es:");
for (const { messageType } of schema.file)
  for (const { field } of messageType) for (const each of field) each.jsonName = protoCamelCase(each.name);
show("with names: ");
JS
seen=$(node read.mjs)
echo "$seen"
[ "$seen" = 'protobuf-es: {"":"A"}
  cannot decode message google.protobuf.Field from JSON: key "typeUrl" is unknown
with names:  {"number":5,"name":"a","typeUrl":"u","jsonName":"A"}
  reads u' ] || { echo "changed"; exit 1; }
