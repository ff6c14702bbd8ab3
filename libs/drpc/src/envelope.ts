import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { BinaryReader } from "@bufbuild/protobuf/wire";
import { drpc } from "@daos/proto";

const { CallSchema, ResponseSchema } = drpc;

export function encodeCall(module: number, method: number, sequence: bigint, body: Uint8Array): Uint8Array {
  return toBinary(CallSchema, create(CallSchema, { module, method, sequence, body }));
}

export function encodeResponse(sequence: bigint, status: drpc.Status, body?: Uint8Array): Uint8Array {
  return toBinary(
    ResponseSchema,
    create(ResponseSchema, body ? { sequence, status, body } : { sequence, status }),
  );
}

/** @throws Error when the bytes are not a call */
export function decodeCall(packet: Uint8Array): drpc.Call {
  return fromBinary(CallSchema, packet);
}

/** @throws Error when the bytes are not a response */
export function decodeResponse(packet: Uint8Array): drpc.Response {
  return fromBinary(ResponseSchema, packet);
}

/** The sequence of a truncated response: its first field, if the sender wrote the fields in order. */
export function peekSequence(packet: Uint8Array): bigint | undefined {
  try {
    const reader = new BinaryReader(packet);
    const [field] = reader.tag();
    return field === 1 ? BigInt(reader.int64()) : undefined;
  } catch {
    return undefined;
  }
}
