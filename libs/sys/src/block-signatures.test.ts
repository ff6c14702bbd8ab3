import { mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readBlockSignatures } from "./block-signatures.ts";
import { type CommandRunner, ProcessCommandRunner } from "./run-command.ts";

const MiB = 1024 * 1024;
const SECTOR = 512;

let directory = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "daos-signatures-"));
});
afterEach(() => rm(directory, { recursive: true }));

/** Answers each program with its status and output. */
function answers(byProgram: Readonly<Record<string, readonly [number, string, string?]>>): CommandRunner {
  return {
    run: ([program]) => {
      const [exitCode, stdout, stderr = ""] = byProgram[program] ?? [];
      if (stdout === undefined) return Promise.reject(new Error(`an unexpected call of ${program}`));
      return Promise.resolve({ exitCode: exitCode ?? null, signal: null, stdout, stderr });
    },
  };
}

const one = (type: string, isTable: boolean) => ({ kind: "one", type, isTable });

describe("readBlockSignatures()", () => {
  it.each([
    ["a file system", [0, "DEVNAME=/dev/pmem0\nLABEL=daos\nUUID=b06e908a\nTYPE=ext4\n"], one("ext4", false)],
    ["a partition table", [0, "DEVNAME=/dev/sda\nPTUUID=1\nPTTYPE=gpt\n"], one("gpt", true)],
    ["a file system with a boot sector", [0, "TYPE=vfat\nPTTYPE=dos\n"], one("vfat", false)],
    ["an entry of a table only", [0, "PART_ENTRY_SCHEME=gpt\nPART_ENTRY_NUMBER=1\n"], { kind: "none" }],
    ["contradicting signatures", [8, ""], { kind: "several" }],
    ["no permission", [2, "", "blkid: error: /dev/sda: Permission denied"], { kind: "unreadable" }],
    ["a program that was killed", [-9, ""], { kind: "unreadable" }],
  ] as const)("with blkid's answer of %s", async (_, blkid, expected) => {
    expect(await readBlockSignatures(answers({ blkid }), "/dev/sda", {})).toMatchObject(expected);
  });

  it.each([
    ["nothing", [0, ""], { kind: "none" }],
    ["a GPT with both headers", [0, "gpt\ngpt\n"], one("gpt", true)],
    ["a device that is gone", [1, "", "wipefs: error: /dev/sda: No such device"], { kind: "unreadable" }],
  ] as const)("asks wipefs when blkid finds nothing: %s", async (_, wipefs, expected) => {
    const runner = answers({ blkid: [2, ""], wipefs });
    expect(await readBlockSignatures(runner, "/dev/sda", {})).toMatchObject(expected);
  });

  // The real programs on an image.
  it.each([
    ["with its protective MBR", true],
    ["after its first sector was cleared", false],
  ])("finds a GPT %s", async (_, hasMbr) => {
    const path = join(directory, "image");
    await writeGpt(path, hasMbr);
    expect(await readBlockSignatures(new ProcessCommandRunner(), path, {})).toEqual(one("gpt", true));
  });

  it("finds nothing on an empty image", async () => {
    const path = join(directory, "image");
    await writeFile(path, Buffer.alloc(MiB));
    expect(await readBlockSignatures(new ProcessCommandRunner(), path, {})).toEqual({ kind: "none" });
  });
});

/** A drive of 1 MiB with an empty table, its first header only. @see UEFI Specification, GUID Partition Table */
async function writeGpt(path: string, hasMbr: boolean): Promise<void> {
  const drive = Buffer.alloc(MiB);
  const last = MiB / SECTOR - 1;
  if (hasMbr) {
    drive.writeUInt8(0xee, 446 + 4);
    drive.writeUInt32LE(1, 446 + 8);
    drive.writeUInt32LE(last, 446 + 12);
    drive.writeUInt16LE(0xaa55, 510);
  }
  const entries = Buffer.alloc(128 * 128);
  const header = drive.subarray(SECTOR, SECTOR + 92);
  header.write("EFI PART", "latin1");
  header.writeUInt32LE(0x1_0000, 8);
  header.writeUInt32LE(92, 12);
  for (const [at, sector] of [
    [24, 1],
    [32, last],
    [40, 34],
    [48, last - 33],
    [72, 2],
  ] as const)
    header.writeBigUInt64LE(BigInt(sector), at);
  header.fill(7, 56, 72);
  header.writeUInt32LE(128, 80);
  header.writeUInt32LE(128, 84);
  header.writeUInt32LE(crc32(entries), 88);
  header.writeUInt32LE(crc32(header), 16);
  const file = await open(path, "w");
  await file.writeFile(drive);
  await file.close();
}
