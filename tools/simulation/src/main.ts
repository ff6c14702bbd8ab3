import { fork } from "node:child_process";
import { writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { seedPlan } from "./seed-plan.ts";
import { type Outcome, simulate } from "./simulate.ts";

/** A task of a worker. */
interface Task {
  readonly seed: number;
  /** Whether the system has the full size; by default the seed decides. */
  readonly large: boolean | undefined;
}

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    from: { type: "string", default: "1" },
    seeds: { type: "string", default: "1000" },
    workers: { type: "string", default: `${Math.max(1, availableParallelism())}` },
    large: { type: "boolean", default: false },
    small: { type: "boolean", default: false },
    trace: { type: "string" },
    worker: { type: "boolean", default: false },
  },
});

const say = (line: string) => process.stdout.write(`${line}\n`);
// Thousands of faults are created, and their stacks are never read.
Error.stackTraceLimit = values.seed === undefined ? 0 : 10;

const plan = ({ seed, large }: Task) => seedPlan(seed, large);
const large = values.large ? true : values.small ? false : undefined;

/** Runs the seeds that its parent sends. */
function work(): void {
  process.on("message", (task: Task) => {
    void simulate(plan(task)).then((outcome) => process.send?.(outcome));
  });
}

/** Runs one seed twice in this process. Both histories must be equal. */
async function repeat(seed: number): Promise<void> {
  const task = plan({ seed, large });
  const lines: string[] = [];
  const first = await simulate({ ...task, trace: (line) => void lines.push(line) });
  if (values.trace !== undefined) writeFileSync(values.trace, `${lines.join("\n")}\n`);
  const second = await simulate(task);
  say(
    `seed ${seed}: ${task.mode}, ${task.hosts} hosts of ${task.enginesPerHost} engines, history ${first.hash}`,
  );
  for (const violation of first.violations) say(`  ${violation}`);
  if (second.hash !== first.hash) say(`  the history of a second run is ${second.hash}`);
  process.exitCode = first.violations.length > 0 || second.hash !== first.hash ? 1 : 0;
}

/** Runs many seeds in worker processes. */
async function runAll(first: number, count: number, workers: number): Promise<void> {
  const begun = performance.now();
  let next = first;
  let done = 0;
  let ranks = 0;
  const sums = { commits: 0, changes: 0, virtualMs: 0 };
  const failed: Outcome[] = [];
  const runWorker = () =>
    new Promise<void>((resolve, reject) => {
      const child = fork(fileURLToPath(import.meta.url), ["--worker"], { execArgv: process.execArgv });
      const give = () => {
        if (next >= first + count) child.kill();
        else child.send({ seed: next++, large } satisfies Task);
      };
      child.on("message", (outcome: Outcome) => {
        done++;
        ranks = Math.max(ranks, outcome.members);
        sums.commits += outcome.commits;
        sums.changes += outcome.changes;
        sums.virtualMs += outcome.virtualMs;
        if (outcome.violations.length > 0) {
          failed.push(outcome);
          const { seed, violations } = outcome;
          say(`seed ${seed} failed: ${violations[0]}`);
          say(
            `  repeat it: npm run test:simulation -- --seed ${seed}${values.large ? " --large" : ""} --trace /tmp/trace.txt`,
          );
        } else if (done % 100 === 0) say(`${done} of ${count} seeds`);
        give();
      });
      child.on("exit", (code, signal) => {
        if (signal === "SIGTERM") resolve();
        else reject(new Error(`a worker ended with ${code ?? signal} near seed ${next - 1}`));
      });
      give();
    });
  await Promise.all(Array.from({ length: Math.min(workers, count) }, runWorker));
  const hours = (sums.virtualMs / 3_600_000).toFixed(1);
  const seconds = Math.round((performance.now() - begun) / 1000);
  say(
    `${done} seeds, ${failed.length} failed: up to ${ranks} ranks, ${sums.commits} commits of ${sums.changes} changes, ${hours} h of virtual time in ${seconds} s`,
  );
  process.exitCode = failed.length > 0 ? 1 : 0;
}

if (values.worker) work();
else if (values.seed !== undefined) await repeat(Number(values.seed));
else await runAll(Number(values.from), Number(values.seeds), Number(values.workers));
