import { realpath } from "node:fs/promises";
import { dirname } from "node:path";
import type { TransportConfig } from "@daos/config";
import { type DrpcModule, drpcMethods, drpcModule, type HandlerContext, handle } from "@daos/drpc";
import type { Harness } from "@daos/harness";
import type { EngineInstance } from "@daos/instance";
import { type Logger, limitRepeats } from "@daos/log";
import type { EngineReporter } from "@daos/member-agent";
import { checkLocalPeer, validateCredential } from "@daos/security";
import { faultNotTheEngine, faultSocketElsewhere } from "./faults.ts";

export interface DrpcModulesOptions {
  readonly harness: Pick<Harness, "notifyReady"> & {
    readonly instances: readonly Pick<EngineInstance, "pid">[];
  };
  /** The directory of the engines' sockets. */
  readonly socketDir: string;
  readonly reporter: Pick<EngineReporter, "warn">;
  readonly transport: TransportConfig;
  readonly log: Logger;
}

/** Numbers of the modules that engines call. @see DAOS 0.8.0 src/control/drpc/modules.go */
const MODULE_SRV = 3;
const MODULE_SECURITY = 4;

/**
 * Like `handle`, but only for root, the server's user and members of its group. It does not depend on the mode of the socket.
 */
const handleLocal: typeof handle = (method, handler) =>
  handle(method, async (request, context) => {
    const fault = await checkLocalPeer(context.peer);
    if (fault !== undefined) throw fault;
    return handler(request, context);
  });

/** The calls of this host's engines: they announce themselves, report I/O errors, and have credentials checked. */
export function drpcModules({
  harness,
  socketDir,
  reporter,
  transport,
  log,
}: DrpcModulesOptions): readonly DrpcModule[] {
  const quiet = limitRepeats(log);
  /**
   * Refuses other processes than the engine's own, because the whole group of the server may use the socket.
   *
   * @throws Fault notAuthorized
   */
  const checkEngine = (what: string, index: number, { pid }: HandlerContext["peer"]) => {
    if (pid === 0 || harness.instances[index]?.pid !== pid) throw faultNotTheEngine(what, index, pid);
  };
  return [
    drpcModule(MODULE_SRV, [
      handleLocal(
        drpcMethods.notifyReady,
        async ({ uri, nctxs, drpcListenerSock, instanceIdx }, { peer }) => {
          checkEngine("NotifyReady", instanceIdx, peer);
          await checkBelow(drpcListenerSock, socketDir);
          await harness.notifyReady(instanceIdx, { uri, contexts: nctxs, socket: drpcListenerSock });
          return undefined;
        },
      ),
      handleLocal(
        drpcMethods.bioError,
        async ({ unmapErr, readErr, writeErr, tgtId, instanceIdx }, { peer }) => {
          checkEngine("BioError", instanceIdx, peer);
          const kinds = Object.entries({ unmap: unmapErr, read: readErr, write: writeErr });
          const errors = kinds.filter(([, seen]) => seen).map(([kind]) => kind);
          quiet.error("an engine reports errors of its block device", {
            index: instanceIdx,
            target: tgtId,
            errors,
          });
          reporter.warn(
            `engine ${instanceIdx} reports ${errors.join(" and ")} errors of the block device of target ${tgtId}`,
          );
          return undefined;
        },
      ),
    ]),
    drpcModule(MODULE_SECURITY, [
      handleLocal(drpcMethods.validateCredentials, (credential) =>
        validateCredential(credential, { transport }),
      ),
    ]),
  ];
}

/** @throws Fault notAuthorized for a socket outside the directory of the sockets, also through a link */
async function checkBelow(socket: string, socketDir: string): Promise<void> {
  const [found, wanted] = await Promise.all(
    [dirname(socket), socketDir].map((path) => realpath(path).catch(() => undefined)),
  );
  if (found === undefined || found !== wanted) throw faultSocketElsewhere(socket, socketDir);
}
