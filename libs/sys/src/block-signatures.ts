import type { Argv, CommandResult, CommandRunner } from "./run-command.ts";

/** What libblkid recognizes on a device. */
export type BlockSignatures =
  | { readonly kind: "none" }
  /** They contradict each other. */
  | { readonly kind: "several" }
  /** `ext4`, `LVM2_member`; of a partition table `gpt`, `dos`. */
  | { readonly kind: "one"; readonly type: string; readonly isTable: boolean }
  | { readonly kind: "unreadable"; readonly argv: Argv; readonly result: CommandResult };

/**
 * Probes a block device, or an image of one. Low-level probing reads the device itself: the cache of blkid and the udev
 * database may be stale or missing.
 *
 * @throws the error of the runner, ENOENT without util-linux
 * @see util-linux 2.38.1 misc-utils/blkid.c
 */
export async function readBlockSignatures(
  runner: CommandRunner,
  path: string,
  options: { readonly signal?: AbortSignal | undefined },
): Promise<BlockSignatures> {
  const blkid: Argv = ["blkid", "--probe", "--output", "export", path];
  const probed = await runner.run(blkid, options);
  // Status 8: contradicting signatures. Status 2: nothing found, or the device cannot be read.
  if (probed.exitCode === 8) return { kind: "several" };
  if (probed.exitCode === 0) return parseBlkid(probed.stdout);
  if (probed.exitCode !== 2 || probed.stderr.trim() !== "")
    return { kind: "unreadable", argv: blkid, result: probed };
  // blkid finds no GPT whose protective MBR was cleared, as with the first sector. wipefs does.
  const wipefs: Argv = ["wipefs", "--no-act", "--noheadings", "--output", "TYPE", path];
  const left = await runner.run(wipefs, options);
  if (left.exitCode !== 0) return { kind: "unreadable", argv: wipefs, result: left };
  return oneOf(undefined, left.stdout.trim().split(/\s+/)[0]);
}

/** Reads lines such as `TYPE=ext4`. A partition entry describes the device as a part of another one: it is no signature. */
function parseBlkid(text: string): BlockSignatures {
  const values = new Map(
    text.split("\n").map((line): [string, string] => {
      const at = line.indexOf("=");
      return [line.slice(0, at), line.slice(at + 1)];
    }),
  );
  return oneOf(values.get("TYPE"), values.get("PTTYPE"));
}

function oneOf(type: string | undefined, table: string | undefined): BlockSignatures {
  const isTable = type === undefined || type === "";
  const found = isTable ? table : type;
  return found === undefined || found === "" ? { kind: "none" } : { kind: "one", type: found, isTable };
}
