import type { SupportSource } from "@daos/ctl-service";
import { formatHostAddress } from "@daos/hostlist";
import { grpcRoutes } from "./grpc-routes.ts";
import { listenAddress } from "./listen-address.ts";
import { listenDrpc } from "./listen-drpc.ts";
import { listenGrpc } from "./listen-grpc.ts";
import { localAddresses, resolveHost } from "./local-addresses.ts";
import { localTransport, ownAddresses } from "./local-calls.ts";
import { type DeviceSample, startMetrics } from "./metrics.ts";
import type { OpenedHost } from "./open-host.ts";
import type { ServerOptions } from "./server-options.ts";
import { configItems, hostItems, supportDirectory } from "./support/host-items.ts";
import { serverItems } from "./support/server-items.ts";

export interface ListenerOptions extends ServerOptions {
  /** The last sample of the devices, for the metrics. */
  readonly devices: () => DeviceSample | undefined;
  readonly signal: AbortSignal;
}

/**
 * Starts dRPC, metrics and gRPC. Their disposal stops them in reverse order.
 *
 * @throws Fault of the part that could not be started; the others are stopped
 */
export async function startListeners(opened: OpenedHost, options: ListenerOptions): Promise<AsyncDisposable> {
  const { config, log, devices, signal } = options;
  const { self, role, host, storage, network, runner, mgmtClient } = opened;
  const { harness, leadership, reporter } = host;
  // Each started part goes on the stack. The parts are stopped in reverse order, however this function ends.
  await using stack = new AsyncDisposableStack();
  stack.use(await listenDrpc({ config, harness, reporter, log: log.child("drpc") }));

  const listenHost = listenAddress(config, { self, localAddresses: localAddresses() });
  const metrics = await startMetrics({
    config,
    host: listenHost,
    harness,
    leadership,
    devices,
    log: log.child("metrics"),
  });
  stack.defer(() => metrics?.close());
  const support: SupportSource = {
    directory: supportDirectory(),
    items: (logBytes) => [
      ...configItems(config),
      ...hostItems({ config, ...storage, network, runner, logBytes }),
      ...serverItems({ harness, leadership, metrics: metrics?.render }),
    ],
  };
  const routes = grpcRoutes({
    config,
    host,
    storage,
    network,
    support,
    provisionOnly: options.owner !== undefined,
    log,
    logLevel: options.logLevel,
    signal,
  });
  const grpc = await listenGrpc({
    host: listenHost,
    port: config.port,
    transport: config.transport,
    log: log.child("grpc"),
    audit: options.audit,
    observer: metrics?.interceptor,
    routes,
  });
  stack.defer(() => grpc.close());
  const local = localTransport(self, routes);
  for (const own of await ownAddresses({ self, accessPoints: config.accessPoints, resolve: resolveHost }))
    mgmtClient.answerLocally(own, local);
  options.onReloadable(async () => {
    await grpc.reload();
    await metrics?.reload();
  });
  options.onEngines(harness.instances);
  const where = formatHostAddress({ host: listenHost, port: config.port });
  log.info(`listening on ${where}`, { system: config.name, role, pid: process.pid });
  return stack.move();
}
