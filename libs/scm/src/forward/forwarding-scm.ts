import { execRequest } from "./exec-request.ts";
import type { HelperLocation } from "./helper-location.ts";
import { HelperScm } from "./helper-scm.ts";

type Operations = Pick<
  HelperScm,
  "scan" | "checkFormat" | "format" | "mount" | "unmount" | "prepare" | "reset"
>;

/**
 * SCM for a server without rights on a host with a helper: what the helper's policy names is forwarded, any other
 * storage (a directory below `/dev/shm`) is used directly, with the rights of this process.
 */
export class ForwardingScm implements Operations {
  readonly #direct: Operations;
  readonly #helper: HelperScm;
  readonly #mounts: ReadonlySet<string>;

  private constructor(direct: Operations, helper: HelperLocation, mounts: readonly string[]) {
    this.#direct = direct;
    this.#helper = new HelperScm({ helper });
    this.#mounts = new Set(mounts);
  }

  /**
   * Asks the helper once what it may be asked for.
   *
   * @param direct the provider with the rights of this process
   * @throws Fault of a helper that is there but cannot be used, such as helperRefused for a user outside its group
   */
  static async connect(
    direct: Operations,
    options: { readonly helper: HelperLocation; readonly signal?: AbortSignal | undefined },
  ): Promise<ForwardingScm> {
    const { policy } = await execRequest({ method: "Status", payload: {} }, options);
    return new ForwardingScm(direct, options.helper, policy.mounts);
  }

  scan(...args: Parameters<Operations["scan"]>) {
    return this.#helper.scan(...args);
  }

  checkFormat(...args: Parameters<Operations["checkFormat"]>) {
    return this.#for(args[0]).checkFormat(...args);
  }

  format(...args: Parameters<Operations["format"]>) {
    return this.#for(args[0]).format(...args);
  }

  mount(...args: Parameters<Operations["mount"]>) {
    return this.#for(args[0]).mount(...args);
  }

  unmount(...args: Parameters<Operations["unmount"]>) {
    return this.#for(args[0]).unmount(...args);
  }

  prepare(...args: Parameters<Operations["prepare"]>) {
    return this.#helper.prepare(...args);
  }

  reset(...args: Parameters<Operations["reset"]>) {
    return this.#helper.reset(...args);
  }

  /** True for storage that the helper's policy names, which this process can have mounted. */
  mayMount({ mount }: { readonly mount: string }): boolean {
    return this.#mounts.has(mount);
  }

  #for(storage: { readonly mount: string }): Operations {
    return this.mayMount(storage) ? this.#helper : this.#direct;
  }
}
