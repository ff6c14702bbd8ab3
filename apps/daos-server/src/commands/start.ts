import type { FlagDefinitions } from "@daos/cli";
import type { Problem, ServerConfig } from "@daos/config";
import { toFault } from "@daos/fault";
import type { EngineInstance } from "@daos/instance";
import { type CommandContext, defineCommand } from "../define-command.ts";
import { exitCodeOf } from "../exit-code-of.ts";
import { findOwner } from "../find-owner.ts";
import { EXIT_INTERNAL_ERROR, handleInternalErrors } from "../handle-internal-errors.ts";
import { limitMemory } from "../limit-memory.ts";
import { openLogs, type ServerLogs } from "../open-logs.ts";
import { reloadOnSighup } from "../reload-on-sighup.ts";
import { isFormatting, serviceStatus } from "../service-status.ts";
import { stopOnSignals } from "../stop-on-signals.ts";

/** The configuration checks the range of whole numbers. */
const MAX = Number.MAX_SAFE_INTEGER;

const FLAGS = {
  port: {
    type: "integer",
    char: "p",
    value: "PORT",
    min: 1,
    max: 65_535,
    summary: "port of the gRPC listener",
  },
  storage: { type: "string", char: "s", value: "PATH", summary: "SCM mount point of every engine" },
  modules: { type: "string", char: "m", value: "MODULES", summary: "modules that the engines load" },
  targets: {
    type: "integer",
    char: "t",
    value: "N",
    min: 1,
    max: MAX,
    summary: "storage targets of each engine",
  },
  xshelpernr: {
    type: "integer",
    char: "x",
    value: "N",
    min: 0,
    max: MAX,
    summary: "helper streams of each target",
  },
  firstcore: {
    type: "integer",
    char: "f",
    value: "N",
    min: 0,
    max: MAX,
    summary: "first core of each engine",
  },
  group: { type: "string", char: "g", value: "NAME", summary: "system name" },
  socket_dir: { type: "string", char: "d", value: "PATH", summary: "directory of the dRPC sockets" },
  insecure: { type: "boolean", char: "i", summary: "plain text and no certificates" },
  "recreate-superblocks": { type: "boolean", summary: "create missing superblocks" },
  engine: {
    type: "string",
    value: "ENGINE",
    options: ["emulated", "installed"],
    summary: "start the daos_io_server of the installed data plane, or the emulated one",
  },
  "auto-format": {
    type: "boolean",
    summary: "format storage that was never formatted, without dmg storage format",
  },
  helper: {
    type: "string",
    value: "LOCATION",
    summary: "the privileged helper: its program, or unix:SOCKET; by default the usual places are searched",
  },
  "engine-ready-timeout": {
    type: "integer",
    value: "SECONDS",
    min: 1,
    max: MAX,
    default: 60,
    summary: "seconds that an engine may take to become ready",
  },
} as const satisfies FlagDefinitions;

type StartFlags = CommandContext<typeof FLAGS>["flags"];

/** `daos-server start`. */
export const startCommand = defineCommand({
  name: "start",
  summary: "Start the control plane of this host, and its engines",
  description:
    "Flags override the configuration. SIGTERM or Ctrl-C stops the engines and then the control plane; SIGHUP opens the log file again and reads the certificates again. With --json the log is one JSON object a line.",
  examples: [
    { text: "With a configuration", line: "start -o /etc/daos/daos_server.yml" },
    {
      text: "A trial without hardware and certificates",
      line: "start -o daos_server.yml --insecure --engine emulated --auto-format",
    },
  ],
  flags: FLAGS,
  run: async ({ flags }) => {
    try {
      await start(flags);
      return undefined;
    } catch (error) {
      const fault = toFault(error);
      const exitCode = exitCodeOf(fault);
      if (exitCode === undefined) throw error;
      return { result: {}, lines: [], fault, exitCode };
    }
  },
});

/** Runs the server until a signal stops it. @throws Fault of the part that could not be started */
async function start(flags: StartFlags): Promise<void> {
  const { parseHelperLocation } = await import("@daos/pbin");
  const { ServiceNotifier } = await import("@daos/systemd");
  // The name in ps and top. pgrep and systemd's tools find the server by it.
  process.title = "daos_server";
  const { config, logs } = await openConfig(flags);
  const { log } = logs;

  let engines: readonly EngineInstance[] = [];
  using service = new ServiceNotifier({ env: process.env, log, isBusy: () => isFormatting(engines) });
  service.status("starting");

  const stop = new AbortController();
  stopOnSignals(stop, { log, onStop: () => service.stopping() });
  const internalErrors = handleInternalErrors({ log, stop: (reason) => stop.abort(reason) });
  const owner = await findOwner(config);
  // Loaded here, because the other commands do not need the parts of a server.
  const { runServer } = await import("../server.ts");
  const running = runServer(
    {
      config,
      log,
      audit: logs.audit,
      logLevel: logs.level,
      owner,
      autoFormat: flags["auto-format"],
      helper: flags.helper === undefined ? undefined : parseHelperLocation(flags.helper),
      readyTimeoutMs: flags["engine-ready-timeout"] * 1000,
      onReloadable: (reload) => {
        limitMemory();
        reloadOnSighup({ log, logs, service, reload });
        service.ready();
      },
      onEngines: (changed) => {
        engines = changed;
        service.status(serviceStatus(changed));
      },
      // For a waiting parent process, such as `npm start`.
      onServing: () => process.send?.({ kind: "serving", port: config.port }),
    },
    stop.signal,
  );
  try {
    await running;
  } catch (error) {
    // systemd shows it until the next start.
    service.status(`ended: ${toFault(error).message}`);
    if (!internalErrors.failed) throw error;
    log.error("the server did not stop in order", { error });
  }
  if (owner !== undefined && !stop.signal.aborted) {
    log.info(`storage is ready: start daos-server as ${config.userName} now`, { uid: owner.uid });
  }
  log.info("stopped");
  logs.close();
  if (internalErrors.failed) process.exit(EXIT_INTERNAL_ERROR);
  process.disconnect?.();
}

/** Reads the configuration, opens its logs, and logs warnings. @throws Fault for a configuration that cannot be used */
async function openConfig(
  flags: StartFlags,
): Promise<{ readonly config: ServerConfig; readonly logs: ServerLogs }> {
  // Loaded here, because the other commands do not need it.
  const { checkAgainstMachine, formatProblem, loadServerConfig, pathsOf, saveActiveConfig } = await import(
    "@daos/config"
  );
  const { collectMachineFacts } = await import("@daos/machine");
  const warnings: Problem[] = [];
  const overrides = {
    port: flags.port,
    storage: flags.storage,
    modules: flags.modules,
    targets: flags.targets,
    xsHelpers: flags.xshelpernr,
    firstCore: flags.firstcore,
    group: flags.group,
    socketDir: flags.socket_dir,
    insecure: flags.insecure || undefined,
    engine: flags.engine,
    recreateSuperblocks: flags["recreate-superblocks"] || undefined,
  };
  const config = await loadServerConfig(flags.config, overrides, {
    onWarning: (problem) => warnings.push(problem),
  });
  const logs = await openLogs(config, { json: flags.json, debug: flags.debug });
  const { log } = logs;
  log.info("configuration read", { path: config.path, from: flags.configFrom });
  const { facts } = await collectMachineFacts({ log, paths: pathsOf(config), quick: true });
  for (const problem of [...warnings, ...checkAgainstMachine(config, facts)]) {
    log.warn(formatProblem(problem));
  }
  await saveActiveConfig(config, log);
  return { config, logs };
}
