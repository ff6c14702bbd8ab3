import type { TransportConfig } from "@daos/config";
import { type DrpcModule, drpcMethods, drpcModule, handle } from "@daos/drpc";
import type { Harness } from "@daos/harness";
import type { Logger } from "@daos/log";
import type { EngineReporter } from "@daos/member-agent";
import { checkLocalPeer, validateCredential } from "@daos/security";

export interface DrpcModulesOptions {
  readonly harness: Harness;
  readonly reporter: Pick<EngineReporter, "warn">;
  readonly transport: TransportConfig;
  readonly log: Logger;
}

/** Numbers of the modules that engines call. @see DAOS 0.8.0 src/control/drpc/modules.go */
const MODULE_SRV = 3;
const MODULE_SECURITY = 4;

/** As `handle`, for peers that are root, the server's user or in its group: also when somebody opens the socket's mode. */
const handleLocal: typeof handle = (method, handler) =>
  handle(method, async (request, context) => {
    const fault = await checkLocalPeer(context.peer);
    if (fault !== undefined) throw fault;
    return handler(request, context);
  });

/** What the engines of this host can call: they announce themselves, report I/O errors, and have credentials checked. */
export function drpcModules({
  harness,
  reporter,
  transport,
  log,
}: DrpcModulesOptions): readonly DrpcModule[] {
  return [
    drpcModule(MODULE_SRV, [
      handleLocal(drpcMethods.notifyReady, async ({ uri, nctxs, drpcListenerSock, instanceIdx }) => {
        await harness.notifyReady(instanceIdx, { uri, contexts: nctxs, socket: drpcListenerSock });
        return undefined;
      }),
      handleLocal(drpcMethods.bioError, async ({ unmapErr, readErr, writeErr, tgtId, instanceIdx }) => {
        const kinds = Object.entries({ unmap: unmapErr, read: readErr, write: writeErr });
        const errors = kinds.filter(([, seen]) => seen).map(([kind]) => kind);
        log.error("an engine reports errors of its block device", {
          index: instanceIdx,
          target: tgtId,
          errors,
        });
        reporter.warn(
          `engine ${instanceIdx} reports ${errors.join(" and ")} errors of the block device of target ${tgtId}`,
        );
        return undefined;
      }),
    ]),
    drpcModule(MODULE_SECURITY, [
      handleLocal(drpcMethods.validateCredentials, (credential) =>
        validateCredential(credential, { transport }),
      ),
    ]),
  ];
}
