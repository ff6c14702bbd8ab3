import type { BdevBackend } from "../bdev-backend.ts";
import type { BdevOperations } from "../bdev-operations.ts";
import { BdevProvider, type BdevProviderOptions } from "../bdev-provider.ts";
import { KernelBackend } from "../kernel-backend.ts";
import type { SpdkBackend } from "../spdk-backend.ts";
import type { BdevForwarder } from "./bdev-forwarder.ts";

/**
 * Block devices for an unprivileged process. Controllers of its own SPDK target are used through that target, all others
 * through the forwarder. Identities are cached here as well.
 */
export function forwardingBdev(
  forwarder: BdevForwarder,
  spdk: SpdkBackend,
  options: Omit<BdevProviderOptions, "backends">,
): BdevOperations {
  const helped: BdevBackend = {
    name: "the helper",
    scan: (call) => forwarder.scan(call),
    checkWipe: async (address, { reformat, signal } = {}) => {
      const [result] = await forwarder.checkFormat({ class: "nvme", list: [address] }, { reformat, signal });
      if (result?.fault !== undefined) throw result.fault;
    },
    wipe: async (address, { reformat, signal, onProgress } = {}) => {
      const [result] = await forwarder.format(
        { class: "nvme", list: [address] },
        {
          reformat,
          signal,
          onProgress: ({ step, fraction }) => {
            if (step === "format" || step === "zero" || step === "verify") onProgress?.({ step, fraction });
          },
        },
      );
      if (result?.fault !== undefined) throw result.fault;
    },
    burnIn: async (address, { durationMs, signal, onProgress }) => {
      const [result] = await forwarder.burnIn([address], {
        durationMs,
        signal,
        onProgress: ({ fraction }) => onProgress?.(fraction),
      });
      if (result === undefined || "fault" in result)
        throw result?.fault ?? new Error(`no answer for ${address}`);
      return result.verdict;
    },
  };
  const provider = new BdevProvider({ ...options, backends: [spdk, helped] });
  // Listing controllers needs no privileges.
  const looking = new BdevProvider({
    ...options,
    backends: [spdk, new KernelBackend({ runner: options.runner, log: options.log })],
  });
  const isSpdks = async (signal: AbortSignal | undefined) =>
    (await spdk.scan({ signal, health: false }).catch(() => [])).length > 0;
  return {
    scan: (call) => provider.scan(call),
    check: (storage, call) => looking.check(storage, call),
    checkFormat: async (storage, call = {}) =>
      storage.class === "nvme" && !(await isSpdks(call.signal))
        ? forwarder.checkFormat(storage, call)
        : provider.checkFormat(storage, call),
    // One request for all controllers, or one for each when some belong to SPDK.
    format: async (storage, call = {}) =>
      storage.class === "nvme" && !(await isSpdks(call.signal))
        ? forwarder.format(storage, call)
        : provider.format(storage, call),
    burnIn: async (devices, call = {}) =>
      (await isSpdks(call.signal)) ? provider.burnIn(devices, call) : forwarder.burnIn(devices, call),
    prepare: (call) => forwarder.prepare(call),
    reset: (call) => forwarder.reset(call),
  };
}
