import { networkInterfaces } from "node:os";
import { errorText, Fault, showResolution } from "@daos/fault";
import type { Logger } from "@daos/log";
import { parseArguments } from "./arguments.ts";
import { openLog } from "./engine-log.ts";
import { parseEnvironment } from "./environment.ts";
import { runEngine } from "./run-engine.ts";
import { watchParent } from "./watch-parent.ts";

// The name of the real engine, for ps and pgrep.
process.title = "daos_io_server";
const root = new AbortController();
let log: Logger | undefined;
let running: ReturnType<typeof runEngine> | undefined;

function end(reason: string): void {
  log?.info("engine ends", { reason });
  root.abort(new Error(reason));
  const stopped = running?.then(
    (stop) => stop(),
    () => {},
  );
  void (stopped ?? Promise.resolve()).finally(() => process.exit(0));
}

try {
  const args = parseArguments(process.argv.slice(2));
  const environment = parseEnvironment(process.env, networkInterfaces());
  if (environment.faults.exitAtStart !== undefined) process.exit(environment.faults.exitAtStart);
  log = openLog(environment);
  watchParent(() => end("the control plane has ended"));
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => end(signal));
  running = runEngine({
    args,
    environment,
    log,
    pid: process.pid,
    exit: () => end("KillRank"),
    crash: () => process.kill(process.pid, "SIGKILL"),
    signal: root.signal,
  });
  await running;
} catch (error) {
  if (!root.signal.aborted) {
    const lines = [errorText(error)];
    if (error instanceof Fault) lines.push(showResolution(error));
    process.stderr.write(lines.map((line) => `daos_io_server (emulated): ${line}\n`).join(""));
    process.exit(1);
  }
}
