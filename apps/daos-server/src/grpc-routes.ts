import type { ConnectRouter, HandlerContext } from "@connectrpc/connect";
import { describeConfig, type ServerConfig } from "@daos/config";
import { ctlService, type SupportSource } from "@daos/ctl-service";
import { healthService } from "@daos/health-service";
import type { Host } from "@daos/host";
import type { LevelSwitch, Logger } from "@daos/log";
import { mgmtService } from "@daos/mgmt-service";
import type { NetworkProvider } from "@daos/network";
import { ctl, mgmt, reflection, reflectionAlpha, grpc as standard } from "@daos/proto";
import { reflectionService } from "@daos/reflection-service";
import { authorizeCaller, shareOf } from "@daos/security";
import { peerKey } from "./audit/audit-interceptor.ts";
import { configuredControllers, configuredHugepages } from "./configured-devices.ts";
import { faultInsecureDevices } from "./faults.ts";
import { findUser } from "./find-owner.ts";
import { limitedService } from "./limit-requests.ts";
import { localAddresses, resolveHost } from "./local-addresses.ts";
import { mayDirect } from "./may-direct.ts";
import { DAOS_RELEASE, VERSION } from "./release.ts";
import type { StorageProviders } from "./storage-providers.ts";

export interface GrpcRoutesOptions {
  readonly config: ServerConfig;
  readonly host: Host;
  readonly storage: Pick<StorageProviders, "scm" | "bdev" | "history">;
  readonly network: NetworkProvider;
  readonly support: SupportSource;
  /** True for a server of root that formats for another user. It is not part of the system. */
  readonly provisionOnly: boolean;
  readonly log: Logger;
  readonly logLevel: LevelSwitch;
  /** Ends the streams that watch the server's health. */
  readonly signal: AbortSignal;
}

/** The services of this host, each request within the limits of its method. */
export function grpcRoutes(options: GrpcRoutesOptions): (router: ConnectRouter) => void {
  const { config, host, storage, network, support, provisionOnly, log, logLevel, signal } = options;
  const { harness, leadership } = host;
  const { transport } = config;
  return (router) => {
    limitedService(
      router,
      ctl.MgmtCtl,
      ctlService({
        harness,
        leadership,
        ...storage,
        refuseDevices:
          transport.allowInsecure && !config.allowInsecureDevices ? faultInsecureDevices : undefined,
        controllers: configuredControllers(config),
        hugepages: configuredHugepages(config),
        network,
        actions: host.actions,
        findUser,
        support,
        release: { version: VERSION, daosRelease: DAOS_RELEASE },
        log,
        logLevel,
        configuration: { file: config.path, describe: () => describeConfig(config) },
      }),
    );
    const services = new Map([
      ["", () => true],
      [ctl.MgmtCtl.typeName, () => true],
      [mgmt.MgmtSvc.typeName, () => leadership.leader !== undefined],
    ]);
    limitedService(router, standard.Health, healthService({ services, signal, kindOf: clientKind }));
    const { v1, v1alpha } = reflectionService([
      ctl.MgmtCtl,
      ...(provisionOnly ? [] : [mgmt.MgmtSvc]),
      standard.Health,
      reflection.ServerReflection,
      reflectionAlpha.ServerReflection,
    ]);
    limitedService(router, reflection.ServerReflection, v1);
    limitedService(router, reflectionAlpha.ServerReflection, v1alpha);
    if (provisionOnly) return;
    limitedService(
      router,
      mgmt.MgmtSvc,
      mgmtService({
        systemName: config.name,
        ...host,
        mayDirect: mayDirect({ hosts: () => directors(options), localAddresses, resolve: resolveHost }),
        authorizeCaller: (certificate, path, from) => authorizeCaller(certificate, { transport, path, from }),
        log: log.child("mgmt"),
      }),
    );
  };
}

/** The hosts that may direct this one: the access points and the leader. */
function directors({ config, host: { leadership } }: GrpcRoutesOptions) {
  const { accessPoints, leader } = leadership;
  return [
    ...config.accessPoints,
    ...accessPoints.map(({ address }) => address),
    ...(leader === undefined ? [] : [leader]),
  ];
}

/** The role of a client, for messages. */
function clientKind({ values }: HandlerContext): string {
  const peer = values.get(peerKey);
  return peer === undefined ? "this host" : shareOf(peer);
}
