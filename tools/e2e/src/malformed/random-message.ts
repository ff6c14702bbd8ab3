import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { Random } from "@daos/sys/testing";

const MAX_DEPTH = 4;
const UUID = "5d6f1a3e-0d3b-4d6f-9f0e-1d2c3b4a5968";

/** Whole numbers at the limits of their types, and valid ranks and counts. */
const INTEGERS: readonly bigint[] = [
  0n,
  1n,
  2n,
  -1n,
  63n,
  1n << 31n,
  (1n << 31n) - 1n,
  (1n << 32n) - 1n,
  (1n << 63n) - 1n,
  -(1n << 63n),
];

/** The bytes of texts: valid values of some fields, which are wrong in others, and invalid ones. */
const TEXTS: readonly Buffer[] = [
  "",
  UUID,
  UUID.toUpperCase(),
  `${UUID}0`,
  "{",
  "daos_server",
  "127.0.0.1:10001",
  "0.0.0.0:99999",
  "[::1]:1",
  "ofi+sockets://127.0.0.1:31416",
  "/rack1/host2",
  "../../../etc/passwd",
  "A::OWNER@:rw",
  "root@",
  "a\0b",
  "line\nline\u001b[31m\u202e",
  "x".repeat(300),
  "x".repeat(5000),
]
  .map((text) => Buffer.from(text))
  .concat([Buffer.from([0xff, 0xfe]), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from([0xc3])]);

/** The bytes of a message of a type: fields have odd values, and some have another wire type, are truncated or changed. */
export function randomMessage(random: Random, type: DescMessage | undefined): Uint8Array {
  const bytes = type === undefined ? random.bytes(random.below(40)) : Buffer.from(encode(random, type, 0));
  return random.oneIn(3) ? corrupt(random, bytes) : bytes;
}

function encode(random: Random, type: DescMessage, depth: number): Uint8Array {
  const writer = new BinaryWriter();
  for (const field of type.fields) {
    if (random.oneIn(4)) continue;
    const repeats = field.fieldKind === "list" ? random.pick([0, 1, 1, 2, 3, 40]) : random.pick([1, 1, 1, 2]);
    for (let times = 0; times < repeats; times++) writeField(random, writer, field, depth);
  }
  // An unknown field.
  if (random.oneIn(8)) writer.tag(1 + random.below(5000), WireType.Varint).uint32(random.below(1000));
  return writer.finish();
}

function writeField(random: Random, writer: BinaryWriter, field: DescField, depth: number): void {
  const { number } = field;
  if (random.oneIn(30)) {
    writer.tag(number, WireType.Bit64).fixed64(random.pick(INTEGERS) & ((1n << 64n) - 1n));
  } else if (field.message !== undefined && depth < MAX_DEPTH) {
    writer.tag(number, WireType.LengthDelimited).bytes(encode(random, field.message, depth + 1));
  } else if (isText(field)) {
    writer.tag(number, WireType.LengthDelimited).bytes(random.pick(TEXTS));
  } else if (field.scalar === ScalarType.DOUBLE) {
    writer
      .tag(number, WireType.Bit64)
      .double(random.pick([0, -1, 1e308, Number.NaN, Number.POSITIVE_INFINITY]));
  } else if (field.scalar === ScalarType.FLOAT) {
    writer.tag(number, WireType.Bit32).float(random.pick([0, -1, Number.NaN]));
  } else {
    writer.tag(number, WireType.Varint).int64(random.pick(INTEGERS));
  }
}

function isText({ scalar, message, fieldKind }: DescField): boolean {
  return (
    scalar === ScalarType.STRING ||
    scalar === ScalarType.BYTES ||
    message !== undefined ||
    fieldKind === "map"
  );
}

function corrupt(random: Random, whole: Buffer): Buffer {
  if (whole.length === 0) return random.bytes(1 + random.below(20));
  const bytes = Buffer.from(whole);
  switch (random.below(4)) {
    case 0:
      return bytes.subarray(0, random.below(bytes.length));
    case 1:
      return Buffer.concat([bytes, random.bytes(1 + random.below(10))]);
    case 2:
      return random.bytes(random.below(200));
    default:
      for (let changes = 1 + random.below(6); changes > 0; changes--)
        bytes[random.below(bytes.length)] = random.below(256);
      return bytes;
  }
}
