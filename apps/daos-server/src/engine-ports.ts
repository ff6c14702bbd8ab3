import type { EngineConfig, ServerConfig } from "@daos/config";
import type { EnginePorts } from "@daos/host";
import type { Owner } from "@daos/instance";
import type { Logger } from "@daos/log";
import { findEngineOf } from "./find-engine-of.ts";
import type { StorageLocks } from "./storage-lock.ts";
import type { StorageProviders } from "./storage-providers.ts";

interface EngineParts extends Pick<StorageProviders, "scm" | "bdev" | "mayMount"> {
  readonly config: ServerConfig;
  readonly log: Logger;
  /** The owner of the storage that root formats. */
  readonly owner?: Owner | undefined;
  readonly autoFormat: boolean;
  readonly readyTimeoutMs: number;
  readonly locks: StorageLocks;
  /** The libfabric name of the engine's interface. */
  readonly ofiDomain: string | undefined;
}

/** The ports of one engine on this machine: its storage with its lock, its program and its logs. */
export function enginePorts(engine: EngineConfig, parts: EngineParts): EnginePorts {
  const { config, scm, bdev, mayMount, locks, log, owner, autoFormat, readyTimeoutMs, ofiDomain } = parts;
  return {
    config: engine,
    scm,
    bdev,
    findEngine: () => findEngineOf(config),
    takeStorage: (mount, wait) => locks.take(mount, wait),
    lockFd: () => locks.descriptor(engine.scm.mount),
    releaseStorage: (mount) => locks.release(mount),
    log: log.child("instance", { index: engine.index }),
    engineLog: log,
    mayMount: mayMount(engine.scm),
    owner,
    recreateSuperblocks: config.recreateSuperblocks,
    autoFormat,
    readyTimeoutMs,
    ofiDomain,
    environment: config.engine === "emulated" ? emulatorEnvironment(engine) : undefined,
  };
}

/** In a plain directory the emulated engine cannot find out the configured size of its SCM. */
function emulatorEnvironment({ scm }: EngineConfig): Readonly<Record<string, string>> {
  return scm.class === "ram" ? { DAOS_EMULATOR_SCM_BYTES: `${BigInt(scm.sizeGiB) << 30n}` } : {};
}
