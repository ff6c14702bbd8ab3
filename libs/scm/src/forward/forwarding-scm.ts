import { execRequest, type HelperLocation, statusMethods } from "@daos/pbin";
import type { ScmCallOptions, ScmFormatOptions, ScmOperations } from "../scm-operations.ts";
import type { ScmFormatState, ScmPrepareResult, ScmScan, ScmStorage } from "../scm-types.ts";
import { ScmForwarder } from "./scm-forwarder.ts";

/**
 * SCM for an unprivileged server on a host with a helper. Operations on storage that the helper's policy names are
 * forwarded. Other storage (a directory below `/dev/shm`) is used directly, with the rights of this process.
 */
export class ForwardingScm implements ScmOperations {
  readonly #direct: ScmOperations;
  readonly #forwarder: ScmForwarder;
  readonly #mounts: ReadonlySet<string>;

  private constructor(direct: ScmOperations, helper: HelperLocation, mounts: readonly string[]) {
    this.#direct = direct;
    this.#forwarder = new ScmForwarder({ helper });
    this.#mounts = new Set(mounts);
  }

  /**
   * Asks the helper once which storage its policy names.
   *
   * @param direct the provider with the rights of this process
   * @throws the helper's Fault when it is installed but cannot be used, such as helperRefused for a user outside its group
   */
  static async connect(
    direct: ScmOperations,
    options: { readonly helper: HelperLocation; readonly signal?: AbortSignal | undefined },
  ): Promise<ForwardingScm> {
    const { policy } = await execRequest(statusMethods, { method: "Status", payload: {} }, options);
    return new ForwardingScm(direct, options.helper, policy.mounts);
  }

  scan(options?: ScmCallOptions): Promise<ScmScan> {
    return this.#forwarder.scan(options);
  }

  checkFormat(storage: ScmStorage, options?: ScmCallOptions): Promise<ScmFormatState> {
    return this.#for(storage).checkFormat(storage, options);
  }

  format(storage: ScmStorage, options: ScmFormatOptions): Promise<void> {
    return this.#for(storage).format(storage, options);
  }

  mount(storage: ScmStorage, options?: ScmCallOptions): Promise<void> {
    return this.#for(storage).mount(storage, options);
  }

  unmount(storage: ScmStorage, options?: ScmCallOptions): Promise<void> {
    return this.#for(storage).unmount(storage, options);
  }

  prepare(options?: ScmCallOptions): Promise<ScmPrepareResult> {
    return this.#forwarder.prepare(options);
  }

  reset(options?: ScmCallOptions): Promise<ScmPrepareResult> {
    return this.#forwarder.reset(options);
  }

  /** True for storage that the helper's policy names: the helper mounts it for this process. */
  mayMount({ mount }: { readonly mount: string }): boolean {
    return this.#mounts.has(mount);
  }

  #for(storage: ScmStorage): ScmOperations {
    return this.mayMount(storage) ? this.#forwarder : this.#direct;
  }
}
