import type { Logger } from "@daos/log";
import { linuxSysTree, type SysTree } from "@daos/sys";
import { faultNamespaceChanged } from "./faults.ts";
import type { NamespaceRecords } from "./namespace-records.ts";
import { listPmemDevices } from "./pmem-devices.ts";
import type { ScmCallOptions, ScmFormatOptions, ScmOperations } from "./scm-operations.ts";
import type { ScmFormatState, ScmPrepareResult, ScmScan, ScmStorage } from "./scm-types.ts";

export interface RememberingScmOptions {
  readonly records: NamespaceRecords;
  readonly log: Logger;
  /** The kernel's by default. */
  readonly sys?: SysTree;
}

/**
 * SCM that follows a namespace to its new name. The kernel numbers namespaces anew at each boot: `/dev/pmem0` of a
 * configuration may be another namespace than at the format. The namespace's uuid is recorded when the storage is
 * mounted, and used to find it from then on; when it is gone, an empty namespace with the configured name takes its
 * place. Storage that is configured by uuid or by a link needs no record.
 */
export class RememberingScm implements ScmOperations {
  readonly #scm: ScmOperations;
  readonly #records: NamespaceRecords;
  readonly #log: Logger;
  readonly #sys: SysTree;

  constructor(scm: ScmOperations, options: RememberingScmOptions) {
    this.#scm = scm;
    this.#records = options.records;
    this.#log = options.log.child("scm");
    this.#sys = options.sys ?? linuxSysTree;
  }

  /** @throws Fault scmNamespaceMissing when the namespace that was formatted is not there, and as the provider */
  async checkFormat(storage: ScmStorage, options?: ScmCallOptions): Promise<ScmFormatState> {
    const state = await this.#scm.checkFormat(await this.#follow(storage), options);
    if (state.kind === "mounted") await this.#record(storage);
    return state;
  }

  /** With consent, another namespace than before is formatted when that one is not there. */
  async format(storage: ScmStorage, options: ScmFormatOptions): Promise<void> {
    await this.#scm.format(await this.#follow(storage, options), options);
    await this.#record(storage);
  }

  async mount(storage: ScmStorage, options?: ScmCallOptions): Promise<void> {
    await this.#scm.mount(await this.#follow(storage), options);
    await this.#record(storage);
  }

  async unmount(storage: ScmStorage, options?: ScmCallOptions): Promise<void> {
    await this.#scm.unmount(await this.#follow(storage), options);
  }

  scan(options?: ScmCallOptions): Promise<ScmScan> {
    return this.#scm.scan(options);
  }

  prepare(options?: ScmCallOptions): Promise<ScmPrepareResult> {
    return this.#scm.prepare(options);
  }

  reset(options?: ScmCallOptions): Promise<ScmPrepareResult> {
    return this.#scm.reset(options);
  }

  /** The storage with the name that its namespace has now. */
  async #follow(storage: ScmStorage, { reformat = false } = {}): Promise<ScmStorage> {
    if (storage.class === "ram") return storage;
    const { mount, device } = storage;
    const record = await this.#records.read(mount);
    if (record?.device !== device) return storage;
    const devices = await listPmemDevices(this.#sys);
    const found = devices.find(({ uuid }) => uuid === record.uuid);
    if (found?.path === device) return storage;
    if (found !== undefined) {
      this.#log.warn("the namespace has another name since a reboot: name its uuid in scm_list", {
        mount,
        configured: device,
        device: found.path,
        uuid: found.uuid,
      });
      return { ...storage, device: found.path };
    }
    if (reformat) return storage;
    const other = devices.find(({ path }) => path === device);
    // After a reset and a prepare the namespace is a new, empty one: a format of it destroys nothing.
    if (other !== undefined && (await this.#scm.checkFormat(storage)).kind === "unformatted") return storage;
    throw faultNamespaceChanged(storage, record.uuid, other?.uuid);
  }

  /** Namespaces without a label have no identity, so there is nothing to record. */
  async #record(configured: ScmStorage): Promise<void> {
    if (configured.class === "ram") return;
    const { mount, device } = configured;
    const { device: now } = (await this.#follow(configured, { reformat: true })) as typeof configured;
    const uuid = (await listPmemDevices(this.#sys)).find(({ path }) => path === now)?.uuid;
    if (uuid === undefined) return;
    try {
      await this.#records.write(mount, { device, uuid });
    } catch (error) {
      // Without a record the storage is found by its name, as at the first start.
      this.#log.warn("the namespace of this storage cannot be recorded", {
        mount,
        uuid,
        reason: String(error),
      });
    }
  }
}
