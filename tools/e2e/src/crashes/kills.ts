import { abortable, deadline, delay } from "@daos/sys";
import { Random } from "@daos/sys/testing";
import { type DmgResult, TestSystem } from "../test-system.ts";
import { ChangeHistory } from "./change-history.ts";
import { Writer } from "./writer.ts";

export interface KillsOptions {
  readonly count: number;
  readonly seed: number;
  readonly say?: (line: string) => void;
}

/** The result of {@link kills}. */
export interface KillsReport {
  readonly kills: Readonly<Record<string, number>>;
  /** The number of acknowledged changes. */
  readonly acknowledged: number;
  /** Lost changes, and unexpected pools or states. */
  readonly problems: readonly string[];
}

/** The time limit until everything serves again on a busy machine, ms. */
const BACK_MS = 180_000;

interface PhaseContext {
  readonly system: TestSystem;
  readonly writer: Writer;
  readonly random: Random;
}

/** The phases. Each one sends SIGKILL at a random moment. */
const PHASES: Readonly<Record<string, (context: PhaseContext) => Promise<void>>> = {
  "the server, while changes are made": (context) => killWhileWriting(context, ["server"]),
  "the server and its engine, while changes are made": (context) =>
    killWhileWriting(context, ["engine", "server"]),
  "the engine, while changes are made": (context) => killWhileWriting(context, ["engine"]),
  "the server, while it stops": async ({ system, random }) => {
    system.server.child.kill("SIGTERM");
    await delay(random.below(400));
    await killServer(system);
  },
  "the server, while it starts": async ({ system, random }) => {
    await system.stop();
    system.launch();
    await delay(random.below(2_000));
    await killServer(system);
  },
  "the server, while the system stops": async ({ system, random }) => {
    const dmg = system.startDmg("--timeout", "30s", "system", "stop", "--force");
    await delay(200 + random.below(800));
    await killServer(system);
    dmg.child.kill("SIGKILL");
    await dmg.end();
  },
  "the server, while it formats": async ({ random }) => {
    await using fresh = await TestSystem.create();
    fresh.launch(["--auto-format"]);
    await delay(random.below(2_500));
    await killServer(fresh);
    await fresh.start(["--auto-format"]);
    await fresh.dmgJson("pool", "create", "-s", "16M");
  },
};

/** Kills servers and engines repeatedly. After each kill it compares the system's state with the acknowledged changes. */
export async function kills({ count, seed, say }: KillsOptions): Promise<KillsReport> {
  await using system = await TestSystem.create({ engines: 2 });
  await system.start();
  const random = new Random(seed);
  const history = new ChangeHistory();
  const context = { system, writer: new Writer(system, history), random };
  history.compare(await queryView(system));
  const done: Record<string, number> = {};
  const problems: string[] = [];
  const phases = Object.entries(PHASES);
  for (let kill = 0; kill < count; kill++) {
    const [name, happen] = phases[kill % phases.length] ?? [];
    if (name === undefined || happen === undefined) throw new Error("there are no phases");
    say?.(`${kill + 1}: ${name}; ${history.acknowledged} changes`);
    await happen(context);
    done[name] = (done[name] ?? 0) + 1;
    if (!system.server.running) system.launch();
    for (const problem of history.compare(await queryView(system))) {
      problems.push(`${kill + 1}, ${name}: ${problem}`);
      say?.(`LOST: ${problem}`);
    }
  }
  return { kills: done, acknowledged: history.acknowledged, problems };
}

async function killWhileWriting(
  { system, writer, random }: PhaseContext,
  victims: readonly ("engine" | "server")[],
): Promise<void> {
  const writing = writer.work();
  await delay(300 + random.below(2_500));
  for (const victim of victims) {
    if (victim === "server") system.server.child.kill("SIGKILL");
    else killEngine(system);
  }
  // A change may also fail before dmg is killed.
  await delay(random.below(100));
  writer.interrupt();
  await writing;
  if (victims.includes("server")) await system.server.end();
}

function killEngine(system: TestSystem): void {
  try {
    process.kill(system.enginePid(0), "SIGKILL");
  } catch (error) {
    // The engine has no process at the moment.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

async function killServer(system: TestSystem): Promise<void> {
  system.server.child.kill("SIGKILL");
  await system.server.end();
}

/** The state of the system when its first rank serves again. Starts stopped ranks. */
async function queryView(system: TestSystem) {
  using limit = deadline(BACK_MS, "the system to serve again");
  const ask = async (...args: readonly string[]): Promise<DmgResult> => {
    for (;;) {
      const { exitCode, stdout } = await abortable(
        system.dmg("--json", "--timeout", "20s", ...args),
        limit.signal,
      );
      if (exitCode === 0) return (JSON.parse(stdout) as { readonly result: DmgResult }).result;
      if (!system.server.running)
        throw new Error(`the server has ended:\n${system.server.output.slice(-4000)}`);
      await delay(200, limit);
    }
  };
  const { members } = await ask("system", "query");
  await system.dmg("--timeout", "30s", "system", "start", "--ranks", "0");
  const { pools } = await ask("system", "list-pools");
  return { members, pools: pools.map(({ uuid }) => uuid) };
}
