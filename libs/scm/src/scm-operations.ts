import type { Owner } from "@daos/sys";
import type { ScmFormatState, ScmPrepareResult, ScmScan, ScmStorage } from "./scm-types.ts";

export interface ScmCallOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface ScmFormatOptions extends ScmCallOptions {
  /** Consent to destroy the existing data. */
  readonly reformat: boolean;
  /** The owner of the formatted storage; the caller by default. */
  readonly owner?: Owner | undefined;
}

/**
 * The operations on SCM. `ScmProvider` performs them itself. `ForwardingScm` forwards them to the privileged helper, which
 * runs the same provider.
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
