import {
  type ExecRequestOptions,
  execRequest,
  faultMalformed,
  fromFaultMessage,
  type HelperLocation,
  MAX_TIMEOUT_MS,
  type ResultOf,
} from "@daos/pbin";
import { FORMAT_TIMEOUT_MS } from "@daos/sys";
import type { BdevCallOptions } from "../bdev-backend.ts";
import type { BdevOperations } from "../bdev-operations.ts";
import {
  type BdevPrepareOptions,
  type BdevPrepareResult,
  type BdevResetOptions,
  DEFAULT_HUGEPAGES,
} from "../bdev-preparer.ts";
import type {
  BdevBurnInOptions,
  BdevBurnInResult,
  BdevFormatOptions,
  BdevFormatResult,
} from "../bdev-provider.ts";
import type { BdevStorage, NvmeController } from "../bdev-types.ts";
import { DEFAULT_BURN_IN_MS } from "../burn-in.ts";
import type { ControllerSelection } from "../select-controllers.ts";
import { bdevMethods } from "./bdev-methods.ts";

const PREPARE_TIMEOUT_MS = 10 * 60_000;

/**
 * NVMe operations for an unprivileged process. Each is forwarded to the helper, which runs the same `BdevProvider`.
 *
 * @see DAOS 0.8.0 src/control/server/storage/bdev/forwarder.go
 */
export class BdevForwarder implements Omit<BdevOperations, "check"> {
  readonly #helper: HelperLocation;

  constructor(options: { readonly helper: HelperLocation }) {
    this.#helper = options.helper;
  }

  async scan(options: BdevCallOptions = {}): Promise<readonly NvmeController[]> {
    return (await execRequest(bdevMethods, { method: "BdevScan", payload: {} }, this.#with(options)))
      .controllers;
  }

  /** Only class `nvme` needs privileges. */
  async checkFormat(
    storage: Pick<BdevStorage, "class" | "list">,
    options: Pick<BdevFormatOptions, "signal" | "reformat"> = {},
  ): Promise<readonly BdevFormatResult[]> {
    if (storage.class !== "nvme" || storage.list.length === 0) return [];
    const { refused } = await execRequest(
      bdevMethods,
      { method: "BdevCheckFormat", payload: { devices: [...storage.list], reformat: options.reformat } },
      { ...this.#with(options), timeoutMs: PREPARE_TIMEOUT_MS },
    );
    return refused.map(({ device, fault }) => ({ device, fault: fromFaultMessage(fault) }));
  }

  /** Only class `nvme` needs privileges. Devices of other classes are reported as done, as by the provider. */
  async format(
    storage: Pick<BdevStorage, "class" | "list">,
    options: BdevFormatOptions = {},
  ): Promise<readonly BdevFormatResult[]> {
    if (storage.class === "malloc") return [];
    if (storage.class !== "nvme") return storage.list.map((device) => ({ device }));
    if (storage.list.length === 0) return [];
    const { results } = await execRequest(
      bdevMethods,
      { method: "BdevFormat", payload: { devices: [...storage.list], reformat: options.reformat } },
      { ...this.#with(options), timeoutMs: FORMAT_TIMEOUT_MS, onProgress: options.onProgress },
    );
    return results.map(({ device, fault }) =>
      fault === undefined ? { device } : { device, fault: fromFaultMessage(fault) },
    );
  }

  async burnIn(
    devices: readonly string[],
    options: BdevBurnInOptions = {},
  ): Promise<readonly BdevBurnInResult[]> {
    if (devices.length === 0) return [];
    const { durationMs = DEFAULT_BURN_IN_MS, onProgress } = options;
    const { results } = await execRequest(
      bdevMethods,
      { method: "BdevBurnIn", payload: { devices: [...devices], durationMs } },
      { ...this.#with(options), timeoutMs: MAX_TIMEOUT_MS, onProgress },
    );
    return results.map(({ device, verdict, fault }) => {
      if (verdict !== undefined) return { device, verdict };
      return {
        device,
        fault: fault === undefined ? faultMalformed(`no verdict for ${device}`) : fromFaultMessage(fault),
      };
    });
  }

  async prepare(options: BdevPrepareOptions = {}): Promise<BdevPrepareResult> {
    const { hugepages = DEFAULT_HUGEPAGES, owner } = options;
    const payload = { hugepages, owner, ...selectionOf(options) };
    return prepareResult(
      await execRequest(
        bdevMethods,
        { method: "BdevPrepare", payload },
        { ...this.#with(options), timeoutMs: PREPARE_TIMEOUT_MS },
      ),
    );
  }

  /** Of the selected controllers, the helper resets those that its policy names. */
  async reset(options: BdevResetOptions = {}): Promise<BdevPrepareResult> {
    return prepareResult(
      await execRequest(
        bdevMethods,
        { method: "BdevReset", payload: selectionOf(options) },
        { ...this.#with(options), timeoutMs: PREPARE_TIMEOUT_MS },
      ),
    );
  }

  #with({ signal }: BdevCallOptions): ExecRequestOptions {
    return { helper: this.#helper, signal };
  }
}

function selectionOf({ whitelist, include, exclude }: ControllerSelection) {
  return {
    whitelist,
    include: include === undefined ? undefined : [...include],
    exclude: exclude === undefined ? undefined : [...exclude],
  };
}

function prepareResult({
  controllers,
  hugepages,
}: ResultOf<typeof bdevMethods, "BdevPrepare">): BdevPrepareResult {
  return {
    controllers: controllers.map((outcome) =>
      outcome.kind === "failed" ? { ...outcome, fault: fromFaultMessage(outcome.fault) } : outcome,
    ),
    hugepages,
  };
}
