import { randomUUID } from "node:crypto";
import { access, constants, readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { DrpcClient, DrpcServer, drpcMethods } from "@daos/drpc";
import type { Logger } from "@daos/log";
import { deadline, delay } from "@daos/sys";
import type { EngineArguments } from "./arguments.ts";
import { deviceCapacity, scmCapacity } from "./capacity.ts";
import { EmulatedEngine } from "./emulated-engine.ts";
import type { EngineEnvironment } from "./environment.ts";
import { listenOnFabric, localFabric } from "./fabric.ts";
import { type NvmeConfDevice, parseNvmeConf } from "./nvme-conf.ts";
import { StateStore } from "./state-store.ts";

export interface RunEngineOptions {
  readonly args: EngineArguments;
  readonly environment: EngineEnvironment;
  readonly log: Logger;
  readonly pid: number;
  /** Ends the engine cleanly. */
  readonly exit: () => void;
  readonly crash: () => void;
  /** Aborts when the engine must end. */
  readonly signal: AbortSignal;
}

/** The deadline for the report to the control plane, ms. */
const NOTIFY_READY_MS = 60_000;

/**
 * Starts an engine: it reads its storage, listens, and reports to the control plane. Resolves when it serves.
 *
 * @returns a function that stops it
 * @throws Error or Fault with a message for the operator
 */
export async function runEngine(options: RunEngineOptions): Promise<() => Promise<void>> {
  const { args, environment, log, pid, signal } = options;
  const { faults, uri } = environment;
  await checkMount(args.scmMount);
  const store = await StateStore.open(args.scmMount);
  const devices = args.nvmeConf === undefined ? [] : parseNvmeConf(await readFile(args.nvmeConf, "utf8"));
  const capacity = {
    scm: environment.scmBytes ?? (await scmCapacity(args.scmMount)),
    nvme: await totalSize(devices, log),
  };
  await keepDevices(store, devices);
  const targets = args.targets ?? availableParallelism();
  const nctxs = 1 + targets * (1 + args.helpers);
  const listenerPath = join(args.socketDir, `daos_io_server_${pid}.sock`);

  const engine = new EmulatedEngine({
    store,
    capacity,
    targets,
    uri,
    nctxs,
    fabric: localFabric,
    faults: faults.methods,
    log: log.child("mgmt"),
    exit: options.exit,
    crash: options.crash,
  });
  const server = new DrpcServer({ path: listenerPath, modules: [engine.module], log: log.child("drpc") });
  await server.listen({ signal });
  const leaveFabric = await listenOnFabric(uri, log);
  const { index, scmMount } = args;
  log.info("emulated engine", {
    index,
    uri,
    targets,
    scmMount,
    scmBytes: capacity.scm,
    nvmeBytes: capacity.nvme,
  });

  let client: DrpcClient | undefined;
  const stop = async () => {
    client?.close();
    leaveFabric();
    await server.close();
  };
  try {
    if (faults.notifyReady.slow !== undefined) await delay(faults.notifyReady.slow, { signal });
    if (!faults.notifyReady.never) {
      const path = join(args.socketDir, "daos_server.sock");
      using limit = deadline(NOTIFY_READY_MS, `report to ${path}`, signal);
      // Like the real engine, it numbers its calls 0, and keeps this connection open.
      client = await DrpcClient.connect(path, { signal: limit.signal, firstSequence: 0n });
      await client.call(
        drpcMethods.notifyReady,
        { uri, nctxs, drpcListenerSock: listenerPath, instanceIdx: index },
        limit,
      );
      log.info("ready", { index, listener: listenerPath });
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return stop;
}

/** @throws Error when the SCM mount point is not a writable directory */
async function checkMount(path: string): Promise<void> {
  try {
    await access(path, constants.W_OK);
  } catch (cause) {
    const reason =
      (cause as NodeJS.ErrnoException).code === "ENOENT" ? "does not exist" : "cannot be written";
    throw new Error(
      `the SCM mount point ${path} ${reason}: format and mount it, as the user who runs the engine`,
      {
        cause,
      },
    );
  }
}

async function totalSize(devices: readonly NvmeConfDevice[], log: Logger): Promise<number> {
  let total = 0;
  for (const device of devices) {
    const size = await deviceCapacity(device);
    if (size === 0) log.warn("a device without a known size counts as empty", { device: device.name });
    total += size;
  }
  return total;
}

/** A device keeps its uuid as long as it stays in the configuration. */
async function keepDevices(store: StateStore, devices: readonly NvmeConfDevice[]): Promise<void> {
  await store.update((state) => {
    const known = new Map(state.devices.map((device) => [device.name, device]));
    const next = devices.map(({ name }) => known.get(name) ?? { name, uuid: randomUUID() });
    const same =
      next.length === state.devices.length && next.every((device, i) => device === state.devices[i]);
    return { state: same ? state : { ...state, devices: next }, answer: undefined };
  });
}
