import type { Owner } from "@daos/sys";
import type { ScmFormatState, ScmPrepareResult, ScmScan, ScmStorage } from "./scm-types.ts";

export interface ScmCallOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface ScmFormatOptions extends ScmCallOptions {
  /** Consent to destroy what is there. */
  readonly reformat: boolean;
  /** Who shall own the formatted storage; the caller by default. */
  readonly owner?: Owner | undefined;
}

/**
 * What can be done with SCM: by `ScmProvider` itself, or through `ForwardingScm` by the privileged helper, which has the
 * same provider.
 */
export interface ScmOperations {
  scan(options?: ScmCallOptions): Promise<ScmScan>;
  checkFormat(storage: ScmStorage, options?: ScmCallOptions): Promise<ScmFormatState>;
  format(storage: ScmStorage, options: ScmFormatOptions): Promise<void>;
  mount(storage: ScmStorage, options?: ScmCallOptions): Promise<void>;
  unmount(storage: ScmStorage, options?: ScmCallOptions): Promise<void>;
  prepare(options?: ScmCallOptions): Promise<ScmPrepareResult>;
  reset(options?: ScmCallOptions): Promise<ScmPrepareResult>;
}
