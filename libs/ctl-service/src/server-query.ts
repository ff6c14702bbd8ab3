import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ctl } from "@daos/proto";
import type { CtlServiceOptions } from "./ctl-service-options.ts";
import { serverVersion } from "./server-version.ts";

/** What the server of this host is and runs; with its configuration if that is asked for. */
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
