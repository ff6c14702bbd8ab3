import { join } from "node:path";
import { delay } from "@daos/sys";
import { TestSystem } from "../test-system.ts";
import { type AttackCertificates, type AttackOrder, readCertificates } from "./attack.ts";
import type { MalformedReport, RssFigures } from "./check-report.ts";
import { GoodClients } from "./good-clients.ts";
import { attackHelper, type HelperAttackOptions } from "./helper-attack.ts";
import { type RunningAttack, runAttackers } from "./run-attackers.ts";
import { type ServerSample, ServerWatch } from "./watch-server.ts";

export interface MalformedOptions extends HelperAttackOptions {
  /** The number of inputs to the sockets of daos-server. */
  readonly drpc: number;
  readonly grpc: number;
  /** Receives a line every few seconds. */
  readonly say?: (line: string) => void;
}

const MINUTE_MS = 60_000;
const LAST_LINES = 100;
const CALL_MS = 500;
/** The interval at which a pool is created and destroyed. */
const POOL_MS = 5_000;
/** How long the remaining connections and calls may take to end. */
const QUIET_MS = 90_000;
/** A peer has a budget of dRPC calls. Each process of root is a peer. */
const DRPC_ATTACKERS = 2;

/**
 * Attacks a real daos-server (mutual TLS, one engine, formatted storage) over its sockets, and daos-admin, while an administrator
 * and an engine are served.
 *
 * @throws Error when a good call fails, or when an attacker meets a server that hangs or has ended
 */
export async function malformed(options: MalformedOptions): Promise<MalformedReport> {
  await using system = await TestSystem.create({ secure: true });
  try {
    return await attackSystem(system, options);
  } catch (error) {
    const lines = system.server.output.trimEnd().split("\n");
    throw new Error(`${String(error)}\nThe server's last lines:\n${lines.slice(-LAST_LINES).join("\n")}`, {
      cause: error,
    });
  }
}

async function attackSystem(system: TestSystem, options: MalformedOptions): Promise<MalformedReport> {
  const watch = await ServerWatch.create(system);
  await system.start(["--auto-format"], watch.environment);
  const engine = system.enginePid();
  const certificates = await readCertificates(system.directory);
  const socket = join(system.socketDir, "daos_server.sock");
  const good = await GoodClients.create(system, certificates, socket);
  // After this, everything that is compiled, opened or cached once exists.
  await good.makePool();
  for (let times = 0; times < 20; times++) await good.call();
  good.begin();
  const before = await watch.sample();
  const loggedBefore = system.server.output.length;

  await using helper = await attackHelper(options);
  const began = performance.now();
  using attack = runAttackers(ordersFor(options, { socket, port: system.port, certificates }));
  const rss = await serveWhile(Promise.all([attack.done, helper.done]), { attack, good, watch, options });
  const seconds = Math.round((performance.now() - began) / 1000);
  const after = await quiet(watch, before);
  if (system.enginePid() !== engine) throw new Error("the engine has been started again");
  const { exitCode, stdout, stderr } = await system.stop();
  return {
    seed: options.seed,
    seconds,
    inputs: attack.sent,
    helper: await helper.done,
    good: good.figures,
    before,
    after,
    rss,
    loggedBytes: stdout.length + stderr.length - loggedBefore,
    exitCode,
  };
}

interface Watched {
  readonly attack: RunningAttack;
  readonly good: GoodClients;
  readonly watch: ServerWatch;
  readonly options: MalformedOptions;
}

/** Makes good calls until the attack is over. @returns the server's memory @throws the error of the attack or of a good call */
async function serveWhile(attacking: Promise<unknown>, parts: Watched): Promise<RssFigures> {
  const { attack, good, watch, options } = parts;
  const began = performance.now();
  let isOver = false;
  let afterMinute: number | undefined;
  const over = attacking.finally(() => {
    isOver = true;
  });
  over.catch(() => {});
  for (let nextPool = 0; !isOver; await Promise.race([delay(CALL_MS), over])) {
    const now = performance.now() - began;
    await good.call();
    if (now >= MINUTE_MS) afterMinute ??= await watch.rss();
    if (now < nextPool) continue;
    nextPool = now + POOL_MS;
    await good.makePool();
    const mib = Math.round((await watch.rss()) / 2 ** 20);
    options.say?.(`${Math.round(now / 1000)} s: ${JSON.stringify(attack.sent)}, ${mib} MiB`);
  }
  await over;
  return { afterMinute, atEnd: await watch.rss() };
}

/**
 * Waits until the server has as few descriptors and timers as before.
 *
 * @returns its last sample, also when the wait times out
 */
async function quiet(watch: ServerWatch, before: ServerSample): Promise<ServerSample> {
  const began = performance.now();
  for (;;) {
    const sample = await watch.sample();
    const isQuiet =
      sample.descriptors <= before.descriptors &&
      (sample.resources.Timeout ?? 0) <= (before.resources.Timeout ?? 0);
    if (isQuiet || performance.now() - began > QUIET_MS) return sample;
    await delay(1000);
  }
}

interface Targets {
  readonly socket: string;
  readonly port: number;
  readonly certificates: AttackCertificates;
}

function ordersFor(
  { drpc, grpc, seconds, seed }: MalformedOptions,
  { socket, port, certificates }: Targets,
): readonly AttackOrder[] {
  const packets = Array.from({ length: DRPC_ATTACKERS }, (_, index) => ({
    target: { kind: "drpc", path: socket } as const,
    count: Math.ceil(drpc / DRPC_ATTACKERS),
    seconds,
    seed: seed + index,
  }));
  return [...packets, { target: { kind: "grpc", port, certificates }, count: grpc, seconds, seed }];
}
