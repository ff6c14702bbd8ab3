import { constants } from "node:fs";
import { access, mkdir } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileCache, HealthHistory } from "@daos/bdev";
import type { Logger } from "@daos/log";
import { fileRecords } from "@daos/scm";

/** The server's records of this host's devices, which it cannot always read from the devices. */
export interface DeviceState {
  readonly cache: ReturnType<typeof fileCache>;
  readonly history: HealthHistory;
  readonly namespaces: ReturnType<typeof fileRecords>;
}

const CONTROLLERS = "controllers.json";
const NAMESPACES = "namespaces.json";

/**
 * The directories for these records, the best first: systemd's `StateDirectory=`, a directory beside the configuration, and one
 * beside the sockets, which may not survive a reboot.
 */
export function stateDirectories(
  configPath: string,
  socketDir: string | undefined,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): readonly string[] {
  const [systemd] = environment.STATE_DIRECTORY?.split(":") ?? [];
  return [
    ...(systemd === undefined || systemd === "" ? [] : [systemd]),
    join(dirname(resolve(configPath)), ".daos_server.state"),
    ...(socketDir === undefined ? [] : [join(socketDir, "state")]),
  ];
}

/** The first of the directories that this process may write to. It is created if necessary. Undefined when there is none. */
export async function findStateDirectory(
  directories: readonly string[],
  log: Logger,
): Promise<string | undefined> {
  for (const directory of directories) {
    try {
      await mkdir(directory, { mode: 0o755 }).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== "EEXIST") throw error;
      });
      await access(directory, constants.W_OK | constants.X_OK);
    } catch (error) {
      log.debug("no state here", { directory, reason: String(error) });
      continue;
    }
    return directory;
  }
  return undefined;
}

/**
 * Opens the records in the first directory that this process may write to; undefined when there is none. The other directories
 * are read too, because root may have prepared the controllers of a server that runs as another user.
 */
export async function openDeviceState(
  directories: readonly string[],
  log: Logger,
  options: {
    /** True for a command, which ends at once. It logs no warning without a directory. */
    readonly isCommand?: boolean | undefined;
  } = {},
): Promise<DeviceState | undefined> {
  const directory = await findStateDirectory(directories, log);
  if (directory === undefined) {
    const text = "what is known of NVMe controllers and namespaces is forgotten when this process ends";
    log[options.isCommand === true ? "info" : "warn"](text, { tried: directories });
    return undefined;
  }
  const others = directories.filter((other) => other !== directory);
  return {
    cache: fileCache(join(directory, CONTROLLERS), {
      also: others.map((other) => join(other, CONTROLLERS)),
    }),
    history: new HealthHistory({ directory: join(directory, "health") }),
    namespaces: fileRecords(join(directory, NAMESPACES)),
  };
}
