import {
  BdevProvider,
  bdevHandlers,
  type ControllerCache,
  DeviceUses,
  type DriverJournal,
  inProcessCache,
} from "@daos/bdev";
import type { Logger } from "@daos/log";
import { type HelperContext, type ResultOf, toFaultMessage } from "@daos/pbin";
import { type ScmOperations, ScmProvider, scmHandlers } from "@daos/scm";
import { type CommandRunner, linuxMountTable, linuxSysTree, type MountTable, type SysTree } from "@daos/sys";
import { type HelperBdev, lockedBdev, lockedScm } from "./locked-providers.ts";
import type { Locks } from "./locks.ts";
import {
  type HelperHandlers,
  type HelperMethod,
  type HelperMethods,
  type HelperPayload,
  helperMethods,
} from "./methods.ts";
import { type Caller, sortControllers } from "./policy/authorize.ts";
import { type PermissionContext, permissions } from "./policy/permissions.ts";
import type { Policy } from "./policy/policy.ts";
import { policySysTree } from "./policy/policy-sys-tree.ts";
import type { TrustOptions } from "./trusted-path.ts";

/** The operating system as the handlers use it; the real one by default. */
export interface HandlerPorts {
  readonly runner: CommandRunner;
  readonly mounts?: MountTable;
  readonly sys?: SysTree;
  readonly trust?: TrustOptions;
  /** The identity of controllers with a user-space driver, kept between helper processes. */
  readonly cache?: ControllerCache;
  /** The former drivers of controllers, kept between helper processes. */
  readonly journal?: DriverJournal;
  /** Serializes requests with other helper processes. */
  readonly locks: Locks;
  /** How long a request waits for the lock of another request, ms; 40,000 by default. */
  readonly lockWaitMs?: number;
  /** The handlers that run after authorization, in place of the providers. */
  readonly scm?: ScmOperations;
  readonly bdev?: HelperBdev;
}

export interface HandlerOptions {
  readonly release: string;
  readonly caller: Caller;
  readonly policy: Policy;
  readonly log: Logger;
  readonly ports: HandlerPorts;
}

/** A format or a burn-in may take hours. A later request fails with this reason instead of waiting. */
const LOCK_WAIT_MS = 40_000;

/**
 * Handles each request: first it checks the permission, then it calls the providers that a privileged daos-server would
 * use.
 *
 * @see DAOS 0.8.0 src/control/cmd/daos_admin/handler.go
 */
export function createHandlers(options: HandlerOptions): HelperHandlers {
  const { policy, caller, ports } = options;
  const { locks, lockWaitMs: waitMs = LOCK_WAIT_MS, trust } = ports;
  const { scm, bdev } = providersOf(options);
  const { runner, mounts = linuxMountTable, sys = linuxSysTree, journal } = ports;
  const uses = new DeviceUses({ sys, mounts, runner, journal });
  const namespaceIds = (address: string) => uses.namespaceIds(address);
  return permitted(
    { policy, caller, trust },
    {
      ...statusHandlers(options),
      ...scmHandlers(lockedScm(scm, { locks, waitMs })),
      ...bdevHandlers(lockedBdev(bdev, { locks, waitMs, namespaceIds })),
    },
  );
}

function providersOf({ policy, log, ports }: HandlerOptions): { scm: ScmOperations; bdev: HelperBdev } {
  const { runner, mounts = linuxMountTable, sys = linuxSysTree, cache = inProcessCache(), journal } = ports;
  const changing = new BdevProvider({
    runner,
    mounts,
    sys: policySysTree(sys, policy),
    cache,
    log,
    ...(journal && { journal }),
  });
  const reading = new BdevProvider({ runner, mounts, sys, cache, log });
  return {
    scm: ports.scm ?? new ScmProvider({ runner, mounts, log }),
    bdev: ports.bdev ?? {
      // A scan shows all controllers. Other requests see only the controllers of the policy.
      scan: (options) => reading.scan(options),
      checkFormat: (storage, options) => changing.checkFormat(storage, options),
      format: (storage, options) => changing.format(storage, options),
      burnIn: (devices, options) => changing.burnIn(devices, options),
      prepare: (options) => changing.prepare(options),
      reset: (options) => changing.reset(options),
    },
  };
}

function statusHandlers({ release, caller, policy }: HandlerOptions): Pick<HelperHandlers, "Status"> {
  const { source, mounts, pciAddresses } = policy;
  return {
    Status: () =>
      Promise.resolve({
        release,
        caller,
        policy: {
          source,
          mounts: mounts.map(({ path }) => path),
          devices: mounts.flatMap(({ devices }) => devices),
          pciAddresses: [...pciAddresses],
        },
      }),
  };
}

/** Each handler with the permission check of its method. */
function permitted(context: PermissionContext, handlers: HelperHandlers): HelperHandlers {
  const behind =
    <M extends HelperMethod>(method: M) =>
    async (payload: HelperPayload<M>, call: HelperContext): Promise<ResultOf<HelperMethods, M>> =>
      handlers[method](await permissions[method](payload, context), call);
  const all = Object.fromEntries(
    (Object.keys(helperMethods) as HelperMethod[]).map((method) => [method, behind(method)]),
  ) as unknown as HelperHandlers;
  return {
    ...all,
    BdevBurnIn: async (payload, call) => {
      const { results } = await all.BdevBurnIn(payload, call);
      const { refused } = sortControllers(context.policy, payload.devices);
      const messages = refused.map(({ device, fault }) => ({ device, fault: toFaultMessage(fault) }));
      return { results: [...results, ...messages] };
    },
  };
}
