import { readFile, rm, rmdir } from "node:fs/promises";
import { hasErrorCode } from "@daos/sys";
import * as z from "zod";
import { faultInstall, faultNotRoot } from "./faults.ts";
import type { InstallRecord } from "./install.ts";
import { layoutOf } from "./layout.ts";

const recordSchema = z.object({
  release: z.string(),
  shapes: z.array(z.enum(["setuid", "socket"])),
  group: z.string(),
  gid: z.int(),
  callers: z.array(z.string()),
  files: z.array(z.string()),
});

/**
 * The manifest of the installation under a prefix; undefined without an installation. @throws Fault helperInstallFailed
 */
export async function readRecord(prefix: string): Promise<InstallRecord | undefined> {
  const { record } = layoutOf(prefix);
  try {
    return recordSchema.parse(JSON.parse(await readFile(record, "utf8")));
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR")) return undefined;
    throw faultInstall(`read ${record}`, String(error), "install the helper again", error);
  }
}

/**
 * Removes the installation under a prefix. The policy and the log stay, unless `purge` is set.
 *
 * @throws Fault helperInstallFailed
 */
export async function uninstall(options: {
  readonly prefix: string;
  readonly purge: boolean;
  readonly say: (line: string) => void;
}): Promise<void> {
  const { prefix, purge, say } = options;
  if (process.geteuid?.() !== 0) throw faultNotRoot("uninstall");
  const layout = layoutOf(prefix);
  const record = await readRecord(prefix);
  if (record === undefined) {
    throw faultInstall(
      "uninstall",
      `nothing is installed under ${prefix}`,
      "name the prefix of the installation",
    );
  }
  const kept = [layout.policy, layout.logFile];
  for (const file of [...record.files, ...(purge ? kept : [])]) {
    await rm(file, { force: true });
    say(`removed ${file}`);
  }
  await rmdir(layout.directory).catch((error: unknown) => {
    if (!hasErrorCode(error, "ENOTEMPTY", "ENOENT")) throw error;
  });
}
