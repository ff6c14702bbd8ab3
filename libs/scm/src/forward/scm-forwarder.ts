import { type ExecRequestOptions, execRequest, type HelperLocation } from "@daos/pbin";
import { FORMAT_TIMEOUT_MS } from "@daos/sys";
import type { ScmCallOptions, ScmFormatOptions, ScmOperations } from "../scm-operations.ts";
import type { ScmFormatState, ScmPrepareResult, ScmScan, ScmStorage } from "../scm-types.ts";
import { scmMethods } from "./scm-methods.ts";

/** Namespaces of several TB on each socket. */
const PREPARE_TIMEOUT_MS = 60 * 60_000;

/**
 * SCM operations for an unprivileged process. Each is forwarded to the helper, which runs the same `ScmProvider`.
 *
 * @see DAOS 0.8.0 src/control/server/storage/scm/forwarder.go
 */
export class ScmForwarder implements ScmOperations {
  readonly #helper: HelperLocation;

  constructor(options: { readonly helper: HelperLocation }) {
    this.#helper = options.helper;
  }

  scan(options: ScmCallOptions = {}): Promise<ScmScan> {
    return execRequest(scmMethods, { method: "ScmScan", payload: {} }, this.#with(options));
  }

  checkFormat(storage: ScmStorage, options: ScmCallOptions = {}): Promise<ScmFormatState> {
    return execRequest(scmMethods, { method: "ScmCheckFormat", payload: { storage } }, this.#with(options));
  }

  /** The default owner is the user of this process. The helper's policy must allow any other owner. */
  async format(storage: ScmStorage, options: ScmFormatOptions): Promise<void> {
    const { reformat, owner } = options;
    await execRequest(
      scmMethods,
      { method: "ScmFormat", payload: { storage, reformat, owner } },
      { ...this.#with(options), timeoutMs: FORMAT_TIMEOUT_MS },
    );
  }

  async mount(storage: ScmStorage, options: ScmCallOptions = {}): Promise<void> {
    await execRequest(scmMethods, { method: "ScmMount", payload: { storage } }, this.#with(options));
  }

  async unmount(storage: ScmStorage, options: ScmCallOptions = {}): Promise<void> {
    await execRequest(scmMethods, { method: "ScmUnmount", payload: { storage } }, this.#with(options));
  }

  prepare(options: ScmCallOptions = {}): Promise<ScmPrepareResult> {
    return execRequest(
      scmMethods,
      { method: "ScmPrepare", payload: {} },
      { ...this.#with(options), timeoutMs: PREPARE_TIMEOUT_MS },
    );
  }

  reset(options: ScmCallOptions = {}): Promise<ScmPrepareResult> {
    return execRequest(
      scmMethods,
      { method: "ScmReset", payload: {} },
      { ...this.#with(options), timeoutMs: PREPARE_TIMEOUT_MS },
    );
  }

  #with({ signal }: ScmCallOptions): ExecRequestOptions {
    return { helper: this.#helper, signal };
  }
}
