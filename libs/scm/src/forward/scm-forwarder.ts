import { type ExecRequestOptions, execRequest } from "./exec-request.ts";
import type { HelperLocation } from "./helper-location.ts";
import type { HelperPayload, HelperResult } from "./requests.ts";

interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

type ScmStorage = HelperPayload<"ScmCheckFormat">["storage"];

/** mkfs.ext4 on a large namespace initializes every inode table. */
const FORMAT_TIMEOUT_MS = 20 * 60_000;

/** Namespaces of several TB on each socket. */
const PREPARE_TIMEOUT_MS = 60 * 60_000;

/**
 * SCM operations for a process without the rights: each is forwarded to the helper, which runs the same `ScmProvider`.
 * It has the shape of `ScmOperations` in `@daos/scm`.
 *
 * @see DAOS 0.8.0 src/control/server/storage/scm/forwarder.go
 */
export class HelperScm {
  readonly #helper: HelperLocation;

  constructor(options: { readonly helper: HelperLocation }) {
    this.#helper = options.helper;
  }

  scan(options: CallOptions = {}): Promise<HelperResult<"ScmScan">> {
    return execRequest({ method: "ScmScan", payload: {} }, this.#with(options));
  }

  checkFormat(storage: ScmStorage, options: CallOptions = {}): Promise<HelperResult<"ScmCheckFormat">> {
    return execRequest({ method: "ScmCheckFormat", payload: { storage } }, this.#with(options));
  }

  /** The owner is the user of this process unless another one is given, whom the helper's policy must allow. */
  async format(
    storage: ScmStorage,
    options: CallOptions & {
      readonly reformat: boolean;
      readonly owner?: { readonly uid: number; readonly gid: number } | undefined;
    },
  ): Promise<void> {
    const { reformat, owner } = options;
    await execRequest(
      { method: "ScmFormat", payload: { storage, reformat, owner } },
      { ...this.#with(options), timeoutMs: FORMAT_TIMEOUT_MS },
    );
  }

  async mount(storage: ScmStorage, options: CallOptions = {}): Promise<void> {
    await execRequest({ method: "ScmMount", payload: { storage } }, this.#with(options));
  }

  async unmount(storage: ScmStorage, options: CallOptions = {}): Promise<void> {
    await execRequest({ method: "ScmUnmount", payload: { storage } }, this.#with(options));
  }

  prepare(options: CallOptions = {}): Promise<HelperResult<"ScmPrepare">> {
    return execRequest(
      { method: "ScmPrepare", payload: {} },
      { ...this.#with(options), timeoutMs: PREPARE_TIMEOUT_MS },
    );
  }

  reset(options: CallOptions = {}): Promise<HelperResult<"ScmReset">> {
    return execRequest(
      { method: "ScmReset", payload: {} },
      { ...this.#with(options), timeoutMs: PREPARE_TIMEOUT_MS },
    );
  }

  #with({ signal }: CallOptions): ExecRequestOptions {
    return { helper: this.#helper, signal };
  }
}
