import type { ControlClient, HostResult } from "./control-client.ts";
import { faultServerTooOld, isUnimplemented } from "./unimplemented.ts";

/** The versions of the programs on a host. */
export interface ServerVersion {
  /** `daos-server`. */
  readonly name: string;
  /** Of the control plane. */
  readonly version: string;
  /** The release of DAOS whose data plane it runs. */
  readonly release: string;
  /** `Node.js 24.10.1`. */
  readonly runtime: string;
  readonly started: Date;
}

/** The version of the server on every host. */
export function serverVersions(client: ControlClient): AsyncGenerator<HostResult<ServerVersion>> {
  return client.eachHost({
    attempted: "ask for the version",
    timeoutMs: 30_000,
    call: async (connection, options) => {
      try {
        const { name, version, release, runtime, started } = await connection.ctl.serverVersion({}, options);
        return { name, version, release, runtime, started: new Date(Number(started)) };
      } catch (error) {
        if (!isUnimplemented(error)) throw error;
        throw faultServerTooOld("ask for the version", "", connection, error);
      }
    },
  });
}
