import type { Fault } from "@daos/fault";
import { type ExecRequestOptions, execRequest } from "./exec-request.ts";
import { fromFaultMessage } from "./fault-message.ts";
import { faultMalformed } from "./faults.ts";
import type { HelperLocation } from "./helper-location.ts";
import { type HelperPayload, type HelperProgress, type HelperResult, MAX_TIMEOUT_MS } from "./requests.ts";

interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

interface BdevStorage {
  readonly class: "nvme" | "malloc" | "kdev" | "file";
  readonly list: readonly string[];
}

type Verdict = NonNullable<HelperResult<"BdevBurnIn">["results"][number]["verdict"]>;

type BurnInResult =
  | { readonly device: string; readonly verdict: Verdict }
  | { readonly device: string; readonly fault: Fault };

type Outcome = HelperResult<"BdevPrepare">["controllers"][number];

interface PrepareResult {
  readonly controllers: readonly (
    | Exclude<Outcome, { kind: "failed" }>
    | { readonly kind: "failed"; readonly pciAddress: string; readonly fault: Fault }
  )[];
  readonly hugepages: HelperResult<"BdevPrepare">["hugepages"];
}

const PREPARE_TIMEOUT_MS = 10 * 60_000;
const DEFAULT_HUGEPAGES = 1024;
const DEFAULT_BURN_IN_MS = 15 * 60_000;

/**
 * NVMe operations for a process without the rights: each is forwarded to the helper, which runs the same
 * `BdevProvider`. It has the shape of that class in `@daos/bdev`, as far as rights are needed.
 *
 * @see DAOS 0.8.0 src/control/server/storage/bdev/forwarder.go
 */
export class HelperBdev {
  readonly #helper: HelperLocation;

  constructor(options: { readonly helper: HelperLocation }) {
    this.#helper = options.helper;
  }

  async scan(options: CallOptions = {}): Promise<HelperResult<"BdevScan">["controllers"]> {
    return (await execRequest({ method: "BdevScan", payload: {} }, this.#with(options))).controllers;
  }

  /** Only class `nvme` needs rights; devices of the others are reported as done, as the provider does. */
  async format(
    storage: BdevStorage,
    options: CallOptions & { readonly onProgress?: ((progress: HelperProgress) => void) | undefined } = {},
  ): Promise<readonly { readonly device: string; readonly fault?: Fault }[]> {
    if (storage.class === "malloc") return [];
    if (storage.class !== "nvme") return storage.list.map((device) => ({ device }));
    if (storage.list.length === 0) return [];
    const { results } = await execRequest(
      { method: "BdevFormat", payload: { devices: [...storage.list] } },
      { ...this.#with(options), timeoutMs: MAX_TIMEOUT_MS, onProgress: options.onProgress },
    );
    return results.map(({ device, fault }) =>
      fault === undefined ? { device } : { device, fault: fromFaultMessage(fault) },
    );
  }

  async burnIn(
    devices: readonly string[],
    options: CallOptions & {
      readonly durationMs?: number;
      readonly onProgress?: ((progress: HelperProgress) => void) | undefined;
    } = {},
  ): Promise<readonly BurnInResult[]> {
    if (devices.length === 0) return [];
    const { durationMs = DEFAULT_BURN_IN_MS, onProgress } = options;
    const { results } = await execRequest(
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

  async prepare(
    options: CallOptions & {
      readonly hugepages?: number | undefined;
      readonly whitelist?: string | undefined;
      readonly include?: readonly string[] | undefined;
      readonly exclude?: readonly string[] | undefined;
      readonly owner?: HelperPayload<"BdevPrepare">["owner"];
    } = {},
  ): Promise<PrepareResult> {
    const { hugepages = DEFAULT_HUGEPAGES, whitelist, include, exclude, owner } = options;
    const payload = {
      hugepages,
      whitelist,
      include: include === undefined ? undefined : [...include],
      exclude: exclude === undefined ? undefined : [...exclude],
      owner,
    };
    return prepareResult(
      await execRequest(
        { method: "BdevPrepare", payload },
        { ...this.#with(options), timeoutMs: PREPARE_TIMEOUT_MS },
      ),
    );
  }

  async reset(options: CallOptions = {}): Promise<PrepareResult> {
    return prepareResult(
      await execRequest(
        { method: "BdevReset", payload: {} },
        { ...this.#with(options), timeoutMs: PREPARE_TIMEOUT_MS },
      ),
    );
  }

  #with({ signal }: CallOptions): ExecRequestOptions {
    return { helper: this.#helper, signal };
  }
}

function prepareResult({ controllers, hugepages }: HelperResult<"BdevPrepare">): PrepareResult {
  return {
    controllers: controllers.map((outcome) =>
      outcome.kind === "failed" ? { ...outcome, fault: fromFaultMessage(outcome.fault) } : outcome,
    ),
    hugepages,
  };
}
