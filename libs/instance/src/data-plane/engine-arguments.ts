import type { EngineConfig } from "@daos/config";

/** The settings that the arguments need besides the engine's section of the configuration. */
export interface EngineArgumentsExtra {
  /** Shared-memory id for SPDK; 0 leaves it out. */
  readonly shmId: number;
  /** Path of `daos_nvme.conf`; absent without devices. */
  readonly nvmeConf?: string | undefined;
}

/**
 * The arguments of `daos_io_server`, in the order of release 0.8.0: `-t -f -i` are left out when 0, `-m -n -p` when
 * unset; `-x` and `-I` are always there.
 *
 * @see DAOS 0.8.0 src/control/server/ioserver/config.go
 */
export function engineArguments(engine: EngineConfig, extra: EngineArgumentsExtra): readonly string[] {
  const option = (flag: string, value: string | number | undefined): readonly string[] =>
    value === undefined || value === "" ? [] : [flag, `${value}`];
  const unlessZero = (value: number) => (value === 0 ? undefined : value);
  return [
    ...option("-m", engine.modules),
    ...option("-t", unlessZero(engine.targets)),
    ...option("-x", engine.nrXsHelpers),
    ...option("-f", unlessZero(engine.firstCore)),
    ...option("-g", engine.systemName),
    ...option("-d", engine.socketDir),
    ...option("-s", engine.scm.mount),
    ...option("-n", extra.nvmeConf),
    ...option("-i", unlessZero(extra.shmId)),
    ...option("-p", engine.pinnedNumaNode),
    ...option("-I", engine.index),
  ];
}

/**
 * The environment of `daos_io_server`: the server's own, then `env_vars`, then what the configuration sets; later wins.
 *
 * @param ofiDomain name of the fabric domain, which `ofi+verbs` needs
 */
export function engineEnvironment(
  engine: EngineConfig,
  own: Readonly<Record<string, string | undefined>>,
  ofiDomain?: string,
): Readonly<Record<string, string>> {
  const merged: Record<string, string | undefined> = { ...own };
  for (const assignment of engine.envVars) {
    const at = assignment.indexOf("=");
    merged[assignment.slice(0, at)] = assignment.slice(at + 1);
  }
  const configured: Record<string, string | undefined> = {
    CRT_PHY_ADDR_STR: engine.provider,
    OFI_INTERFACE: engine.fabricIface,
    OFI_PORT: engine.fabricIfacePort === 0 ? undefined : `${engine.fabricIfacePort}`,
    D_LOG_MASK: engine.logMask,
    D_LOG_FILE: engine.logFile,
    VOS_BDEV_CLASS: VOS_BDEV_CLASS[engine.bdev.class],
    OFI_DOMAIN: engine.provider.startsWith("ofi+verbs") ? ofiDomain : undefined,
  };
  for (const [name, value] of Object.entries(configured)) {
    if (value !== undefined && value !== "") merged[name] = value;
  }
  return Object.fromEntries(
    Object.entries(merged).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

const VOS_BDEV_CLASS: Readonly<Record<EngineConfig["bdev"]["class"], string | undefined>> = {
  nvme: undefined,
  malloc: "MALLOC",
  kdev: "AIO",
  file: "AIO",
};

/**
 * The shared-memory id for SPDK: FNV-1a 32 of `<hostname><pid>`, top bit cleared.
 *
 * @see DAOS 0.8.0 src/control/server/server.go hash
 */
export function sharedMemoryId(hostname: string, pid: number): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(`${hostname}${pid}`)) {
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  }
  return hash & 0x7fffffff;
}
