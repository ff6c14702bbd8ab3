import { chmod, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Ended, Program, run, WORKSPACE } from "../program.ts";
import { isRoot } from "../test-system.ts";

export interface HelperAttackOptions {
  /** The number of requests to daos-admin's code, and the number of processes that get one request each. */
  readonly helper: number;
  readonly processes: number;
  /** The time after which no input is sent. */
  readonly seconds: number;
  readonly seed: number;
}

/** The output of daos-admin's fuzzer. */
export interface HelperTally {
  readonly requests: number;
  readonly malformed: number;
  readonly refused: number;
  readonly done: number;
  readonly processes: number;
}

export interface HelperAttack extends AsyncDisposable {
  /** Rejects when the helper has failed. */
  readonly done: Promise<HelperTally>;
}

const DAOS_ADMIN = join(WORKSPACE, "apps/daos-admin/bin/daos-admin");
const FUZZ = join(WORKSPACE, "apps/daos-admin/dist/fuzz/main.js");
const NOBODY = "65534";
/** The helper trusts only directories whose parents belong to root alone. */
const TRUSTED = "/var/lib";

/**
 * Attacks daos-admin's code in process, and processes of daos-admin. As root the processes are the installed setuid helper,
 * called by an unprivileged user. Otherwise they are the helper of the workspace, which reads and then refuses every request.
 */
export async function attackHelper(options: HelperAttackOptions): Promise<HelperAttack> {
  await using stack = new AsyncDisposableStack();
  const helper = isRoot ? await installHelper(stack) : [DAOS_ADMIN];
  const program = new Program([
    process.execPath,
    FUZZ,
    ...["--count", String(options.helper), "--processes", String(options.processes)],
    ...["--seconds", String(options.seconds), "--seed", String(options.seed), "--"],
    ...helper,
  ]);
  stack.defer(() => {
    program.child.kill("SIGKILL");
  });
  const done = program.ended.then(tallyOf);
  done.catch(() => {});
  const resources = stack.move();
  return { done, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}

/** @returns the command that calls it as another user */
async function installHelper(stack: AsyncDisposableStack): Promise<readonly string[]> {
  const prefix = await mkdtemp(join(TRUSTED, "daos-malformed-"));
  stack.defer(() => rm(prefix, { recursive: true, force: true }));
  await chmod(prefix, 0o755);
  // Without a server configuration the policy allows nothing.
  const { exitCode, stderr } = await run([
    ...[DAOS_ADMIN, "install", "--prefix", prefix, "--group", NOBODY, "--any-caller"],
  ] as [string, ...string[]]);
  if (exitCode !== 0) throw new Error(`daos-admin install: ${stderr}`);
  const user = ["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups", "--"];
  return ["setpriv", ...user, join(prefix, "bin", "daos_admin")];
}

function tallyOf({ exitCode, stdout, stderr }: Ended): HelperTally {
  if (exitCode !== 0) throw new Error(`the attack on daos-admin has failed: ${stderr}`);
  return JSON.parse(stdout) as HelperTally;
}
