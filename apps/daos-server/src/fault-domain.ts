import { stat } from "node:fs/promises";
import { hostname } from "node:os";
import type { ServerConfig } from "@daos/config";
import { cleanText, Fault } from "@daos/fault";
import { MAX_FAULT_DOMAIN } from "@daos/security";
import type { CommandResult, CommandRunner } from "@daos/sys";
import { faultCallback } from "./faults.ts";

/** The time limit of `fault_cb`, ms. */
const CALLBACK_TIMEOUT_MS = 10_000;
/** The mode bits that let the group or others write. */
const OTHERS_WRITE = 0o022;
const MAY_EXECUTE = 0o111;
/** The maximum number of characters that messages show of the program's output. */
const MAX_SHOWN = 200;

/**
 * The fault domain of this host: `fault_path`, the output of the program in `fault_cb`, or `/<host name>`. The program runs
 * with the rights of the server, so only its user and root may be able to change it.
 *
 * @throws Fault faultCallbackFailed
 * @see DAOS 2.x src/control/server/faultdomain.go, which adds that the program has to be below `/etc/daos`
 */
export async function faultDomain(
  { faultPath, faultCb }: Pick<ServerConfig, "faultPath" | "faultCb">,
  options: { readonly runner: CommandRunner; readonly signal: AbortSignal },
): Promise<string> {
  if (faultPath !== undefined) return faultPath;
  if (faultCb === undefined) return `/${hostname()}`;
  await checkProgram(faultCb);
  const { exitCode, stdout, stderr } = await run(faultCb, options);
  if (exitCode !== 0) {
    const said = cleanText(stderr.trim(), MAX_SHOWN);
    throw faultCallback(
      faultCb,
      `it ended with ${exitCode ?? "a signal"}${said === "" ? "" : ` and said: ${said}`}`,
    );
  }
  const domain = stdout.trim();
  if (/^\/[^\p{Cc}\p{Zs}]+$/u.test(domain) && domain.length <= MAX_FAULT_DOMAIN) return domain;
  throw faultCallback(
    faultCb,
    `it printed ${JSON.stringify(domain.slice(0, MAX_SHOWN))}, which is not a path`,
  );
}

async function run(
  program: string,
  { runner, signal }: { readonly runner: CommandRunner; readonly signal: AbortSignal },
): Promise<CommandResult> {
  try {
    return await runner.run([program], { signal, timeoutMs: CALLBACK_TIMEOUT_MS });
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof Fault) throw error;
    throw faultCallback(program, String((error as Error).message));
  }
}

async function checkProgram(path: string): Promise<void> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw faultCallback(path, error.code === "ENOENT" ? "it does not exist" : error.message);
  });
  const mode = found.mode & 0o7777;
  const shown = `0${mode.toString(8)}`;
  if (!found.isFile()) throw faultCallback(path, "it is not a file");
  if ((mode & MAY_EXECUTE) === 0) throw faultCallback(path, `it is not executable, its mode is ${shown}`);
  if ((mode & OTHERS_WRITE) !== 0)
    throw faultCallback(path, `others than its owner may change it, its mode is ${shown}`);
  if (found.uid !== 0 && found.uid !== process.geteuid?.())
    throw faultCallback(path, `it belongs to user ${found.uid}, not to root or to the user of the server`);
}
