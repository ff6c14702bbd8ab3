import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ctl } from "@daos/proto";
import type { CtlServiceOptions } from "./ctl-service-options.ts";
import { serverVersion } from "./server-version.ts";

/** Describes this host's server and its engines; with its configuration on request. */
export function serverQuery(
  { harness, configuration, ...rest }: Pick<CtlServiceOptions, "harness" | "release" | "configuration">,
  { config }: Pick<ctl.ServerQueryReq, "config">,
): MessageInitShape<typeof ctl.ServerQueryRespSchema> {
  const { version, started } = serverVersion(rest);
  return {
    version,
    pid: process.pid,
    started,
    engines: harness.instances.map(({ index, superblock, state, pid, startedAt, restarts }) => ({
      index,
      rank: superblock?.rank,
      state: state.kind,
      pid: pid ?? 0,
      started: BigInt(startedAt ?? 0),
      restarts,
    })),
    configFile: configuration.file,
    config: config
      ? configuration.describe().map(({ default: defaultValue, ...key }) => ({ ...key, defaultValue }))
      : [],
  };
}
