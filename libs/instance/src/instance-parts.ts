import { lstat } from "node:fs/promises";
import { DrpcClient, type WaitOptions } from "@daos/drpc";
import { toFault } from "@daos/fault";
import { type Clock, systemClock } from "@daos/sys";
import type { EngineConnection } from "./engine-client.ts";
import { EngineProcess, type EngineProcessOptions } from "./engine-process.ts";
import { EngineStorage, type EngineStorageOptions } from "./engine-storage.ts";
import { faultNotifyReadySocket } from "./faults.ts";

/** The storage of an engine, as its instance uses it. */
export type StoragePart = Pick<EngineStorage, keyof EngineStorage>;
/** The process of an engine, as its instance uses it. */
export type ProcessPart = Pick<EngineProcess, "pid" | "exited" | "stop">;

/** The machine of an instance: this one, or a simulated one. */
export interface InstanceParts {
  readonly clock: Clock;
  openStorage(options: EngineStorageOptions): StoragePart;
  /** @throws Fault engineStartFailed */
  startProcess(options: EngineProcessOptions): Promise<ProcessPart>;
  /** Connects to the engine's own dRPC socket. */
  connect(socket: string, wait: WaitOptions): Promise<EngineConnection>;
  /** @throws Fault when the announced path is not a socket */
  checkSocket(path: string): Promise<void>;
}

/** Files, processes and sockets of this machine. */
export const realParts: InstanceParts = {
  clock: systemClock,
  openStorage: (options) => new EngineStorage(options),
  startProcess: (options) => EngineProcess.start(options),
  connect: (socket, wait) => DrpcClient.connect(socket, wait),
  checkSocket,
};

async function checkSocket(path: string): Promise<void> {
  try {
    if ((await lstat(path)).isSocket()) return;
  } catch (error) {
    throw faultNotifyReadySocket(path, toFault(error).description);
  }
  throw faultNotifyReadySocket(path, "it is not a socket");
}
