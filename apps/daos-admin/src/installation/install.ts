import {
  chmod,
  chown,
  constants,
  copyFile,
  mkdir,
  mkdtemp,
  readFile,
  realpath,
  rename,
  rm,
  writeFile,
} from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { errorText, Fault, FaultCode, hasCode } from "@daos/fault";
import { type CommandRunner, hasErrorCode, writeFileAtomic } from "@daos/sys";
import { groupId, readAccounts } from "../policy/accounts.ts";
import { derivePolicy } from "../policy/derive-policy.ts";
import type { Policy } from "../policy/policy.ts";
import { renderPolicy } from "../policy/render-policy.ts";
import { HELPER_RELEASE } from "../release.ts";
import { openTrusted, requireTrustedParents } from "../trusted-path.ts";
import { buildNative, type NativeConfig } from "./build-native.ts";
import { faultInstall, faultNotRoot } from "./faults.ts";
import { type Layout, layoutOf } from "./layout.ts";
import { renderUnits } from "./systemd-units.ts";

export type Shape = "setuid" | "socket";

export interface InstallOptions {
  readonly prefix: string;
  readonly shapes: readonly Shape[];
  /** A name, or the number of a group in a directory service. */
  readonly group: string;
  readonly createGroup: boolean;
  /** Executables that may call, besides the installed Node.js; undefined for any executable. */
  readonly callers: readonly string[] | undefined;
  /** A server configuration. The policy will name its storage. */
  readonly serverConfig: string | undefined;
  readonly runner: CommandRunner;
  /** Prints one line per step. */
  readonly say: (line: string) => void;
}

/** The manifest of an installation, for doctor and uninstall. */
export interface InstallRecord {
  readonly release: string;
  readonly shapes: readonly Shape[];
  readonly group: string;
  readonly gid: number;
  readonly callers: readonly string[];
  /** The files that uninstall removes: all except the policy and the log. */
  readonly files: readonly string[];
}

/** Both are beside `dist`, whether this runs from there or from the sources. */
const NATIVE_SOURCES = fileURLToPath(new URL("../../native", import.meta.url));
const HELPER_BUNDLE = fileURLToPath(new URL("../../dist/helper.mjs", import.meta.url));

/**
 * Installs or replaces the helper under a prefix. Every file is renamed into place, so that a running server finds
 * either the old or the new file. An existing policy is kept.
 *
 * @throws Fault helperInstallFailed, helperUntrustedPath
 */
export async function install(options: InstallOptions): Promise<InstallRecord> {
  const { prefix, shapes, runner, say } = options;
  if (process.geteuid?.() !== 0) throw faultNotRoot("install");
  const layout = layoutOf(prefix);
  // Checks every precondition before the first change.
  await requireTrustedParents(join(prefix, "x"));
  const callers = await findCallers(layout, options);
  const policy = options.serverConfig === undefined ? undefined : await readPolicy(options.serverConfig);
  const gid = await findGroup(options);
  for (const directory of [
    layout.directory,
    dirname(layout.launcher),
    dirname(layout.policy),
    dirname(layout.logFile),
  ]) {
    await mkdir(directory, { recursive: true, mode: 0o755 });
    await requireTrustedParents(join(directory, "x"));
  }
  const files: string[] = [];
  const put = async (source: string, target: string, mode: number, group = 0) => {
    const next = join(dirname(target), `.${basename(target)}.new`);
    await rm(next, { force: true });
    await copyFile(source, next, constants.COPYFILE_FICLONE);
    await chown(next, 0, group);
    // After chown, which clears the setuid bit.
    await chmod(next, mode);
    await rename(next, target);
    files.push(target);
    say(`installed ${target}`);
  };

  const build = await mkdtemp(join(layout.directory, ".build-"));
  try {
    const config: NativeConfig = {
      node: layout.node,
      script: layout.helper,
      policy: layout.policy,
      logFile: layout.logFile,
      callers,
    };
    const native = { sources: NATIVE_SOURCES, directory: build, runner };
    const launcher = shapes.includes("setuid") ? await buildNative("launcher", config, native) : undefined;
    const listener = shapes.includes("socket") ? await buildNative("listener", config, native) : undefined;
    await put(process.execPath, layout.node, 0o755);
    await put(HELPER_BUNDLE, layout.helper, 0o644);
    if (launcher !== undefined) await put(launcher, layout.launcher, 0o4750, gid);
    if (listener !== undefined) {
      await put(listener, layout.listener, 0o755, gid);
      for (const [name, text] of Object.entries(renderUnits(layout, options.group))) {
        await mkdir(layout.unitDirectory, { recursive: true, mode: 0o755 });
        await writeFile(join(build, name), text);
        await put(join(build, name), join(layout.unitDirectory, name), 0o644);
      }
    }
  } finally {
    await rm(build, { recursive: true, force: true });
  }
  if (policy !== undefined) await writePolicy(layout, policy, say);
  const record: InstallRecord = {
    release: HELPER_RELEASE,
    shapes,
    group: options.group,
    gid,
    callers,
    files: [...files, layout.record],
  };
  await writeFileAtomic(layout.record, `${JSON.stringify(record, undefined, 2)}\n`, { mode: 0o644 });
  return record;
}

async function findGroup({ group, createGroup, runner, say }: InstallOptions): Promise<number> {
  if (/^\d+$/.test(group)) return Number(group);
  const found = groupId(group, await readAccounts());
  if (found !== undefined) return found;
  const command = ["groupadd", "--system", group] as const;
  if (!createGroup) {
    throw faultInstall(
      "install",
      `there is no group ${group}`,
      `make it with "${command.join(" ")}", or give --create-group`,
    );
  }
  const { exitCode, stderr } = await runner.run(command);
  const made = groupId(group, await readAccounts());
  if (exitCode !== 0 || made === undefined)
    throw faultInstall(`run ${command.join(" ")}`, stderr.trim(), "make the group by hand");
  say(`made the group ${group}`);
  return made;
}

/** The real paths of the executables. The launcher accepts an executable only when only root can replace it. */
async function findCallers(layout: Layout, { callers }: InstallOptions): Promise<readonly string[]> {
  if (callers === undefined) return [];
  const paths = [layout.node];
  for (const caller of callers) {
    try {
      const path = await realpath(caller);
      await (await openTrusted(path, constants.O_RDONLY, { stickyParents: true }))?.close();
      paths.push(path);
    } catch (error) {
      if (hasCode(error, FaultCode.helperUntrustedPath)) {
        throw faultInstall(`let ${caller} call the helper`, error.description, CALLER_REMEDY, error);
      }
      if (error instanceof Fault || !hasErrorCode(error, "ENOENT", "ENOTDIR", "EACCES")) throw error;
      throw faultInstall(`let ${caller} call the helper`, error.message, "name an executable that exists");
    }
  }
  return [...new Set(paths)];
}

/** For an executable that users other than root may change, as in a checkout below `/home` or `/tmp`. */
export const CALLER_REMEDY =
  "name a Node that root owns, in directories of root's, with --caller (such as /usr/bin/node), or let members of the group call with any executable: --any-caller";

/** The policy for the storage of a server's configuration. @throws Fault helperInstallFailed, helperPolicyInvalid */
async function readPolicy(serverConfig: string): Promise<Policy> {
  let text: string;
  try {
    text = await readFile(serverConfig, "utf8");
  } catch (error) {
    throw faultInstall(
      `write a policy for ${serverConfig}`,
      errorText(error),
      "name the server's configuration that exists with --server-config, or write the policy by hand (docs/helper.md)",
      error,
    );
  }
  return derivePolicy(text, serverConfig, await readAccounts());
}

async function writePolicy(layout: Layout, policy: Policy, say: (line: string) => void): Promise<void> {
  try {
    await writeFile(layout.policy, renderPolicy(policy), { mode: 0o644, flag: "wx" });
    say(`wrote ${layout.policy} from ${policy.source}`);
  } catch (error) {
    if (!hasErrorCode(error, "EEXIST")) throw error;
    say(`kept ${layout.policy}`);
  }
}
