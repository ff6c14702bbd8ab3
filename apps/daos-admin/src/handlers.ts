import { type BdevFormatResult, BdevProvider, type ControllerMemory, forgetfulMemory } from "@daos/bdev";
import { type Fault, toFault } from "@daos/fault";
import type { Logger } from "@daos/log";
import { type HelperHandlers, toFaultMessage } from "@daos/pbin";
import { type ScmOperations, ScmProvider, type ScmStorage, validateStorage } from "@daos/scm";
import { type CommandRunner, linuxMountTable, linuxSysTree, type MountTable, type SysTree } from "@daos/sys";
import { type LockRequest, type Locks, takeAll } from "./locks.ts";
import {
  authorizeControllers,
  authorizeHugepages,
  authorizeOwner,
  authorizeScmPrepare,
  authorizeStorage,
  type Caller,
} from "./policy/authorize.ts";
import type { Policy } from "./policy/policy.ts";
import { policySysTree } from "./policy/policy-sys-tree.ts";
import { requireTrustedParents, type TrustOptions } from "./trusted-path.ts";

/** The operating system as the handlers use it; the real one by default. */
export interface HandlerPorts {
  readonly runner: CommandRunner;
  readonly mounts?: MountTable;
  readonly sys?: SysTree;
  readonly trust?: TrustOptions;
  /** Who the controllers are that a user-space driver has, between one helper and the next. */
  readonly memory?: ControllerMemory;
  /** Keeps this process apart from other helpers. */
  readonly locks: Locks;
  /** How long a request waits for another one on the same thing, ms; 40,000 by default. */
  readonly lockWaitMs?: number;
  /** What acts in the place of the providers, once the policy has agreed. */
  readonly scm?: ScmOperations;
  readonly bdev?: BdevOperations;
}

/** What the handlers need of a `BdevProvider`. */
export type BdevOperations = Pick<BdevProvider, "scan" | "format" | "burnIn" | "prepare" | "reset">;

export interface HandlerOptions {
  readonly release: string;
  readonly caller: Caller;
  readonly policy: Policy;
  readonly log: Logger;
  readonly ports: HandlerPorts;
}

/** A format or a burn-in may take hours: who comes later is told so, rather than made to wait. */
const LOCK_WAIT_MS = 40_000;

/**
 * What each request does: first the policy, then the trust in every path that root will use, then the same providers
 * that a daos-server with rights would use.
 *
 * @see DAOS 0.8.0 src/control/cmd/daos_admin/handler.go
 */
export function createHandlers(options: HandlerOptions): HelperHandlers {
  const { release, caller, policy, log, ports } = options;
  const { locks, lockWaitMs: waitMs = LOCK_WAIT_MS } = ports;
  const { runner, mounts = linuxMountTable, sys = linuxSysTree, trust, memory = forgetfulMemory() } = ports;
  const scm = ports.scm ?? new ScmProvider({ runner, mounts, log });
  const readingBdev = ports.bdev ?? new BdevProvider({ runner, mounts, sys, memory, log });
  const bdev =
    ports.bdev ?? new BdevProvider({ runner, mounts, sys: policySysTree(sys, policy), memory, log });

  const authorize = async (storage: ScmStorage) => {
    validateStorage(storage);
    authorizeStorage(policy, storage);
    // Only root decides what is at these paths, so they mean the same thing at every step that follows.
    await requireTrustedParents(storage.mount, trust);
    if (storage.class === "dcpm") await requireTrustedParents(storage.device, trust);
  };

  /** Alone on a mount point and its device; other storage may be worked on meanwhile. */
  const alone = async (storage: ScmStorage, signal: AbortSignal, work: () => Promise<void>) => {
    const devices = storage.class === "dcpm" ? [{ what: storage.device }] : [];
    const wanted = [{ what: "scm", shared: true }, { what: storage.mount }, ...devices];
    await using _held = await takeAll(locks, wanted, { waitMs, signal });
    await work();
    return {};
  };
  /** Alone on all storage of a kind. */
  const aloneOnAll = async <T>(what: "scm" | "nvme", signal: AbortSignal, work: () => Promise<T>) => {
    await using _held = await locks.take({ what }, { waitMs, signal });
    return await work();
  };

  return {
    Status: () =>
      Promise.resolve({
        release,
        caller,
        policy: {
          source: policy.source,
          mounts: policy.mounts.map(({ path }) => path),
          devices: policy.mounts.flatMap(({ devices }) => devices),
          pciAddresses: [...policy.pciAddresses],
        },
      }),

    ScmScan: async (_payload, { signal }) => scm.scan({ signal }),

    ScmCheckFormat: async ({ storage }, { signal }) => {
      await authorize(storage);
      return scm.checkFormat(storage, { signal });
    },

    ScmFormat: async ({ storage, reformat, owner }, { signal }) => {
      await authorize(storage);
      const newOwner = authorizeOwner(policy, caller, owner);
      return alone(storage, signal, () => scm.format(storage, { reformat, owner: newOwner, signal }));
    },

    ScmMount: async ({ storage }, { signal }) => {
      await authorize(storage);
      return alone(storage, signal, () => scm.mount(storage, { signal }));
    },

    ScmUnmount: async ({ storage }, { signal }) => {
      await authorize(storage);
      return alone(storage, signal, () => scm.unmount(storage, { signal }));
    },

    ScmPrepare: async (_payload, { signal }) => {
      authorizeScmPrepare(policy, "prepare SCM");
      return aloneOnAll("scm", signal, () => scm.prepare({ signal }));
    },

    ScmReset: async (_payload, { signal }) => {
      authorizeScmPrepare(policy, "reset SCM");
      return aloneOnAll("scm", signal, () => scm.reset({ signal }));
    },

    BdevScan: async (_payload, { signal }) => ({ controllers: await readingBdev.scan({ signal }) }),

    BdevFormat: async ({ devices }, { signal, progress }) => {
      const list = authorizeControllers(policy, devices);
      await using held = await lockControllers(locks, list, { waitMs, signal });
      const storage = { class: "nvme", list: held.free, number: 0, sizeGB: 0 } as const;
      const results = await bdev.format(storage, { signal, onProgress: progress });
      return { results: [...results, ...held.busy].map(resultMessage) };
    },

    BdevBurnIn: async ({ devices, durationMs }, { signal, progress }) => {
      // "Every empty controller" may be more than the policy names: what it does not name is refused one by one.
      const list: string[] = [];
      const refused: { readonly device: string; readonly fault: Fault }[] = [];
      for (const device of devices) {
        try {
          list.push(...authorizeControllers(policy, [device]));
        } catch (error) {
          refused.push({ device, fault: toFault(error) });
        }
      }
      await using held = await lockControllers(locks, list, { waitMs, signal });
      const results =
        held.free.length === 0
          ? []
          : await bdev.burnIn(held.free, { durationMs, signal, onProgress: progress });
      return {
        results: [...results, ...held.busy, ...refused].map((result) => {
          const { device } = result;
          if ("fault" in result) return { device, fault: toFaultMessage(result.fault) };
          const { errors, findings, ...verdict } = result.verdict;
          return { device, verdict: { ...verdict, errors: [...errors], findings: [...findings] } };
        }),
      };
    },

    BdevPrepare: async ({ hugepages, whitelist, include, exclude, owner }, { signal }) => {
      authorizeHugepages(policy, hugepages);
      const options = { hugepages, whitelist, include, exclude, signal };
      const newOwner = authorizeOwner(policy, caller, owner);
      return aloneOnAll("nvme", signal, async () =>
        prepareMessage(await bdev.prepare({ ...options, owner: newOwner })),
      );
    },

    BdevReset: (_payload, { signal }) =>
      aloneOnAll("nvme", signal, async () => prepareMessage(await bdev.reset({ signal }))),
  };
}

/** Takes the controllers that no other request has; one that is taken does not keep the others from being worked on. */
async function lockControllers(
  locks: Locks,
  addresses: readonly string[],
  { waitMs: allowedMs, signal }: { readonly waitMs: number; readonly signal: AbortSignal },
) {
  await using stack = new AsyncDisposableStack();
  const end = performance.now() + allowedMs;
  const take = async (lock: LockRequest) => {
    const waitMs = Math.max(0, Math.ceil(end - performance.now()));
    stack.use(await locks.take(lock, { waitMs, signal }));
  };
  await take({ what: "nvme", shared: true });
  const free: string[] = [];
  const busy: { readonly device: string; readonly fault: Fault }[] = [];
  for (const address of [...new Set(addresses)].sort()) {
    try {
      await take({ what: address });
      free.push(address);
    } catch (error) {
      signal.throwIfAborted();
      busy.push({ device: address, fault: toFault(error) });
    }
  }
  const held = stack.move();
  return { free, busy, [Symbol.asyncDispose]: () => held[Symbol.asyncDispose]() };
}

function resultMessage({ device, fault }: BdevFormatResult) {
  return fault === undefined ? { device } : { device, fault: toFaultMessage(fault) };
}

function prepareMessage(result: Awaited<ReturnType<BdevProvider["prepare"]>>) {
  return {
    controllers: result.controllers.map((outcome) =>
      outcome.kind === "failed" ? { ...outcome, fault: toFaultMessage(outcome.fault) } : outcome,
    ),
    hugepages: result.hugepages,
  };
}
