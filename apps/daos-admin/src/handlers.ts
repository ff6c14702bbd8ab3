import { type BdevFormatResult, BdevProvider, type ControllerMemory, forgetfulMemory } from "@daos/bdev";
import type { Logger } from "@daos/log";
import { type HelperHandlers, toFaultMessage } from "@daos/pbin";
import { type ScmOperations, ScmProvider, type ScmStorage, validateStorage } from "@daos/scm";
import { type CommandRunner, linuxMountTable, linuxSysTree, type MountTable, type SysTree } from "@daos/sys";
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
  /** What acts in the place of the providers, once the policy has agreed. */
  readonly scm?: ScmOperations;
  readonly bdev?: BdevOperations;
}

/** What the handlers need of a `BdevProvider`. */
export type BdevOperations = Pick<BdevProvider, "scan" | "format" | "prepare" | "reset">;

export interface HandlerOptions {
  readonly release: string;
  readonly caller: Caller;
  readonly policy: Policy;
  readonly log: Logger;
  readonly ports: HandlerPorts;
}

/**
 * What each request does: first the policy, then the trust in every path that root will use, then the same providers
 * that a daos-server with rights would use.
 *
 * @see DAOS 0.8.0 src/control/cmd/daos_admin/handler.go
 */
export function createHandlers(options: HandlerOptions): HelperHandlers {
  const { release, caller, policy, log, ports } = options;
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
      await scm.format(storage, { reformat, owner: authorizeOwner(policy, caller, owner), signal });
      return {};
    },

    ScmMount: async ({ storage }, { signal }) => {
      await authorize(storage);
      await scm.mount(storage, { signal });
      return {};
    },

    ScmUnmount: async ({ storage }, { signal }) => {
      await authorize(storage);
      await scm.unmount(storage, { signal });
      return {};
    },

    ScmPrepare: async (_payload, { signal }) => {
      authorizeScmPrepare(policy, "prepare SCM");
      return scm.prepare({ signal });
    },

    ScmReset: async (_payload, { signal }) => {
      authorizeScmPrepare(policy, "reset SCM");
      return scm.reset({ signal });
    },

    BdevScan: async (_payload, { signal }) => ({ controllers: await readingBdev.scan({ signal }) }),

    BdevFormat: async ({ devices }, { signal, progress }) => {
      const list = authorizeControllers(policy, devices);
      const results = await bdev.format(
        { class: "nvme", list, number: 0, sizeGB: 0 },
        { signal, onProgress: progress },
      );
      return { results: results.map(resultMessage) };
    },

    BdevPrepare: async ({ hugepages, whitelist, include, exclude, owner }, { signal }) => {
      authorizeHugepages(policy, hugepages);
      const result = await bdev.prepare({
        hugepages,
        whitelist,
        include,
        exclude,
        owner: authorizeOwner(policy, caller, owner),
        signal,
      });
      return prepareMessage(result);
    },

    BdevReset: async (_payload, { signal }) => prepareMessage(await bdev.reset({ signal })),
  };
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
