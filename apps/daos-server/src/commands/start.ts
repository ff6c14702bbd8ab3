import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  checkAgainstMachine,
  formatProblem,
  loadServerConfig,
  type Problem,
  pathsOf,
  saveActiveConfig,
} from "@daos/config";
import { createLogger, levelSwitch } from "@daos/log";
import { openLogSink } from "@daos/log-sink";
import { collectMachineFacts } from "@daos/machine";
import { parseHelperLocation } from "@daos/pbin";
import { Flags } from "@oclif/core";
import { findOwner } from "../find-owner.ts";
import { EXIT_INTERNAL_ERROR, installLastResort } from "../last-resort.ts";
import { ServerCommand } from "../server-command.ts";

/** The workspace's emulated engine, seen from `dist/commands`. */
const EMULATED_ENGINE = fileURLToPath(new URL("../../../../tools/engine-emulator/bin", import.meta.url));

/** Ctrl-C comes from the terminal, and from npm and npm start, which pass it on: within this time it is the same one, ms. */
const SAME_STOP_MS = 1_000;

/** `daos-server start`. */
export class Start extends ServerCommand {
  static override readonly summary = "Start the control plane of this host, and its engines";

  static override readonly flags = {
    port: Flags.integer({ char: "p", summary: "Port of the gRPC listener", min: 1, max: 65535 }),
    storage: Flags.string({ char: "s", summary: "SCM mount point of every engine", helpValue: "PATH" }),
    modules: Flags.string({ char: "m", summary: "Modules that the engines load" }),
    targets: Flags.integer({ char: "t", summary: "Storage targets of each engine", min: 1 }),
    xshelpernr: Flags.integer({ char: "x", summary: "Helper streams of each target", min: 0 }),
    firstcore: Flags.integer({ char: "f", summary: "First core of each engine", min: 0 }),
    group: Flags.string({ char: "g", summary: "System name" }),
    socket_dir: Flags.string({ char: "d", summary: "Directory of the dRPC sockets", helpValue: "PATH" }),
    insecure: Flags.boolean({ char: "i", summary: "Plain text and no certificates" }),
    "recreate-superblocks": Flags.boolean({ summary: "Create superblocks that are missing" }),
    engine: Flags.option({
      options: ["emulated", "installed"] as const,
      summary: "Start the daos_io_server of the installed data plane, or the emulated one",
    })(),
    "auto-format": Flags.boolean({
      summary: "Format storage that has never been formatted, without being asked",
    }),
    helper: Flags.string({
      summary:
        "The privileged helper: its program, or unix:SOCKET; looked for in the usual places if not given",
      helpValue: "LOCATION",
    }),
    "engine-ready-timeout": Flags.integer({
      summary: "Seconds that an engine may take to become ready",
      default: 60,
      min: 1,
    }),
  };

  static override readonly examples = [
    "<%= config.bin %> start -o /etc/daos/daos_server.yml",
    "<%= config.bin %> start -o daos_server.yml --insecure --engine emulated --auto-format",
  ];

  async run(): Promise<void> {
    const { flags } = await this.parse(Start);
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
    const logSink = openLogSink({
      file: config.controlLogFile,
      json: flags.json || config.controlLogJson,
    });
    const logLevel = levelSwitch(flags.debug ? "DEBUG" : config.controlLogMask);
    const log = createLogger(logSink.sink, { level: logLevel, component: "daos_server" });
    log.info("configuration read", { path: config.path });
    const { facts } = await collectMachineFacts({ log, paths: pathsOf(config), quick: true });
    for (const problem of [...warnings, ...checkAgainstMachine(config, facts)]) {
      log.warn(formatProblem(problem));
    }
    await saveActiveConfig(config, log);

    const stop = new AbortController();
    let stoppedAt = Number.POSITIVE_INFINITY;
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      process.on(signal, () => {
        if (stop.signal.aborted) {
          if (performance.now() - stoppedAt < SAME_STOP_MS) return;
          log.error(`${signal} again: ending at once; the engines end with this process`);
          process.exit(1);
        }
        stoppedAt = performance.now();
        log.info(`${signal}: stopping`);
        stop.abort(new DOMException(`stopped by ${signal}`, "AbortError"));
      });
    }
    const lastResort = installLastResort({ log, stop: (reason) => stop.abort(reason) });
    const owner = await findOwner(config);
    // Loaded here: the other commands do without all that a server is made of.
    const { runServer } = await import("../server.ts");
    const running = runServer(
      {
        config,
        log,
        logLevel,
        owner,
        onlyEngine: config.engine === "emulated",
        engineDirectory:
          config.engine === "emulated" ? EMULATED_ENGINE : join(dirname(process.argv[1] ?? "."), "..", "bin"),
        autoFormat: flags["auto-format"],
        helper: flags.helper === undefined ? undefined : parseHelperLocation(flags.helper),
        readyTimeoutMs: flags["engine-ready-timeout"] * 1000,
        onReloadable: (reload) => {
          process.on("SIGHUP", () => {
            logSink.reopen();
            reload().then(
              () => log.info("SIGHUP: log file opened and certificates read again"),
              (error: unknown) => log.error("SIGHUP: the certificates could not be read again", { error }),
            );
          });
        },
        // For a parent that waits for it, such as `npm start`.
        onServing: () => process.send?.({ kind: "serving", port: config.port }),
      },
      stop.signal,
    );
    try {
      await running;
    } catch (error) {
      if (!lastResort.failed) throw error;
      log.error("the server did not stop in order", { error });
    }
    if (owner !== undefined && !stop.signal.aborted) {
      log.info(`storage is ready: start daos-server as ${config.userName} now`, { uid: owner.uid });
    }
    log.info("stopped");
    logSink.close();
    if (lastResort.failed) process.exit(EXIT_INTERNAL_ERROR);
    process.disconnect?.();
  }
}
