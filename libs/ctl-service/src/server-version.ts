import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ctl } from "@daos/proto";
import type { CtlServiceOptions } from "./ctl-service-options.ts";

/** The programs of this host. */
export function serverVersion({
  release: { version, daosRelease },
}: Pick<CtlServiceOptions, "release">): MessageInitShape<typeof ctl.ServerVersionRespSchema> {
  return {
    name: "daos-server",
    version,
    release: daosRelease,
    runtime: `Node.js ${process.versions.node}`,
    started: BigInt(Math.round(performance.timeOrigin)),
  };
}
