import { faultNoEngines } from "@daos/config";
import { findEngineOf } from "./find-engine-of.ts";
import type { DeviceSample } from "./metrics.ts";
import { openHost } from "./open-host.ts";
import { sampleHealth } from "./sample-health.ts";
import type { ServerOptions } from "./server-options.ts";
import { startListeners } from "./start-listeners.ts";

/**
 * Runs the control plane of one host until `signal` stops it. It starts dRPC, gRPC and then the engines, and stops them in
 * reverse order.
 *
 * @throws Fault of the part that could not be started, or of the last engine when all engines have failed
 */
export async function runServer(options: ServerOptions, signal: AbortSignal): Promise<void> {
  const { config, log, owner } = options;
  if (config.engines.length === 0) throw faultNoEngines(config.path);
  // Checked first, so that storage is not formatted for engines that cannot start.
  if (owner === undefined) await findEngineOf(config);
  using opened = await openHost(options, signal);
  const { host, storage } = opened;
  let devices: DeviceSample | undefined;
  await using _listeners = await startListeners(opened, { ...options, devices: () => devices, signal });

  const ended = new AbortController();
  const until = AbortSignal.any([signal, ended.signal]);
  const scan = async (wait: { readonly signal: AbortSignal }) => {
    devices = { controllers: await storage.bdev.scan(wait), readAt: new Date() };
  };
  const samples = sampleHealth({ scan, log: log.child("health"), signal: until });
  try {
    await host.run(signal);
  } finally {
    ended.abort(new DOMException("the server ends", "AbortError"));
    await Promise.allSettled([samples]);
  }
}
