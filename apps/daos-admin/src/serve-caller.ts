import { type Fault, toFault } from "@daos/fault";
import type { Logger } from "@daos/log";
import { type HelperChannel, type HelperOutcome, sameHandlers, serveRequest } from "@daos/pbin";
import { openAudit } from "./audit.ts";
import { createHandlers, type HandlerPorts } from "./handlers.ts";
import type { Journal } from "./journal.ts";
import type { Locks } from "./locks.ts";
import { type HelperHandlers, type HelperMethods, type HelperRequest, helperMethods } from "./methods.ts";
import type { Caller } from "./policy/authorize.ts";
import { loadPolicy } from "./policy/load-policy.ts";
import { emptyPolicy } from "./policy/policy.ts";

export interface ServeCallerOptions {
  readonly release: string;
  /** How the caller reached the helper, for the audit. */
  readonly shape: "setuid" | "socket";
  readonly caller: Caller;
  readonly policyPath: string;
  /** The audit, unless the policy names another file. */
  readonly logFile: string;
  /** Receives every record of the audit too. */
  readonly journal?: Journal;
  readonly ports: Omit<HandlerPorts, "locks"> & {
    /** The locks of a request. The argument names the holder in messages to waiting requests. */
    readonly locksFor: (holder: string) => Locks;
  };
  readonly readTimeoutMs?: number;
}

/**
 * Answers the one request of an authenticated caller. The audit records the caller and the request before any change,
 * and the outcome afterwards. Without a writable audit or a usable policy, every request is refused.
 */
export async function serveCaller(
  channel: HelperChannel,
  options: ServeCallerOptions,
): Promise<HelperOutcome<HelperMethods>> {
  const { caller, shape, ports } = options;
  const began = performance.now();
  const { policy, fault: policyFault } = await readPolicy(options);
  let handlers: HelperHandlers;
  let log: Logger | undefined;
  await using resources = new AsyncDisposableStack();
  if (options.journal !== undefined) resources.use(options.journal);
  try {
    const audit = resources.use(
      await openAudit(policy.logFile ?? options.logFile, { ...ports.trust, also: options.journal?.write }),
    );
    log = audit.log.child(shape, { caller_uid: caller.uid, caller_gid: caller.gid, caller_pid: caller.pid });
    handlers =
      policyFault === undefined
        ? createHandlers({
            release: options.release,
            caller,
            policy,
            log,
            ports: { ...ports, locks: ports.locksFor(`process ${process.pid} for user ${caller.uid}`) },
          })
        : refusingHandlers(policyFault);
  } catch (error) {
    handlers = refusingHandlers(toFault(error));
  }
  const outcome = await serveRequest(channel, {
    methods: helperMethods,
    handlers,
    onRequest: (request) => log?.info("request", subjectOf(request)),
    ...(options.readTimeoutMs === undefined ? {} : { readTimeoutMs: options.readTimeoutMs }),
  });
  record(log, outcome, Math.round(performance.now() - began));
  return outcome;
}

async function readPolicy({ policyPath, ports }: ServeCallerOptions) {
  try {
    return { policy: await loadPolicy(policyPath, ports.trust), fault: undefined };
  } catch (error) {
    return { policy: emptyPolicy(policyPath), fault: toFault(error) };
  }
}

function refusingHandlers(fault: Fault): HelperHandlers {
  return sameHandlers(helperMethods, () => Promise.reject(fault));
}

function record(log: Logger | undefined, outcome: HelperOutcome<HelperMethods>, milliseconds: number): void {
  switch (outcome.kind) {
    case "nothing":
      return;
    case "malformed":
      log?.warn("no request", { code: outcome.fault.code, reason: outcome.fault.message });
      return;
    case "failed":
      log?.warn("failed", {
        method: outcome.request.method,
        code: outcome.fault.code,
        reason: outcome.fault.message,
        milliseconds,
      });
      return;
    case "done":
      log?.info("done", { method: outcome.request.method, milliseconds });
  }
}

/** The resources of a request, in one word each. */
function subjectOf({ method, payload }: HelperRequest): Record<string, unknown> {
  return {
    method,
    ...("storage" in payload ? { ...payload, ...payload.storage, storage: undefined } : payload),
  };
}
