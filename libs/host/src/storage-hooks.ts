import { type EngineInstance, faultStorageLost } from "@daos/instance";
import type { EnginePorts } from "./host-ports.ts";
import type { Management } from "./management.ts";

interface Wait {
  readonly signal: AbortSignal;
}

type InstanceWithStorage = Pick<EngineInstance, "index" | "config" | "superblock">;

/**
 * The actions of this host when the storage of an engine is mounted and unmounted. If the management service keeps the
 * members on this host, they are in the storage of the first engine (index 0).
 */
export class StorageHooks {
  readonly #management: Pick<Management, "storageReady" | "storageReleased" | "lossesIn">;
  readonly #provisionOnly: boolean;
  readonly #fatal = Promise.withResolvers<never>();

  constructor(
    management: Pick<Management, "storageReady" | "storageReleased" | "lossesIn">,
    { provisionOnly }: { readonly provisionOnly: boolean },
  ) {
    this.#management = management;
    this.#provisionOnly = provisionOnly;
    this.#fatal.promise.catch(() => {});
  }

  /** Rejects when the system would start without its existing members: then nothing may serve. */
  get fatal(): Promise<never> {
    return this.#fatal.promise;
  }

  /** The storage is mounted. @throws Fault storageInUse, membersLeftBehind, membersMoved */
  async ready(
    { index, config: { scm }, superblock }: InstanceWithStorage,
    { takeStorage }: Pick<EnginePorts, "takeStorage">,
    wait: Wait,
  ): Promise<void> {
    if (this.#provisionOnly) return;
    await takeStorage?.(scm.mount, wait);
    if (index !== 0 || superblock === undefined) return;
    try {
      await this.#management.storageReady(scm.mount, superblock.uuid, wait);
    } catch (error) {
      if (!wait.signal.aborted) this.#fatal.reject(error);
      throw error;
    }
  }

  /** The storage is about to be unmounted or formatted. */
  async released(
    { index, config: { scm } }: InstanceWithStorage,
    { releaseStorage }: Pick<EnginePorts, "releaseStorage">,
  ): Promise<void> {
    if (index === 0) await this.#management.storageReleased();
    releaseStorage?.(scm.mount);
  }

  /** @throws Fault storageLost when a file of the members' store is missing in the storage now */
  async verify({ index, config: { scm } }: InstanceWithStorage): Promise<void> {
    const losses = index === 0 ? await this.#management.lossesIn(scm.mount) : [];
    if (losses.length > 0) throw faultStorageLost(index, scm.mount, losses);
  }
}
