import { lstat } from "node:fs/promises";
import { Fault } from "@daos/fault";
import { type Logger, silentLogger } from "@daos/log";
import { type CommandRunner, hasErrorCode, ProcessCommandRunner } from "@daos/sys";
import type { BdevBackend, BdevCallOptions, BdevScanOptions, WipeOptions } from "./bdev-backend.ts";
import type { NvmeController, NvmeHealth } from "./bdev-types.ts";
import {
  faultFormatFailed,
  faultHoldsData,
  faultInUse,
  faultMissingDevices,
  faultSpdkFailed,
  faultUnusable,
  faultVanished,
} from "./faults.ts";
import {
  completionStatus,
  formatsOthers,
  IDENTIFY_BYTES,
  identifyControllerCommand,
  maxTransferOf,
  paddedBase64Url,
  readCommand,
  smartLogCommand,
} from "./nvme-command.ts";
import { readSmartLog, SMART_LOG_BYTES } from "./smart-log.ts";
import {
  type Json,
  list,
  object,
  readSpdkControllers,
  readSpdkIdentity,
  type SpdkController,
  type SpdkIdentity,
  text,
} from "./spdk-answers.ts";
import { type SpdkCallOptions, SpdkConnection, SpdkConnectionLost, SpdkError } from "./spdk-connection.ts";
import { spdkContents } from "./spdk-contents.ts";
import { callIfThere, findSpdkExport } from "./spdk-exports.ts";
import { isSupportedSpdk, OLDEST_SPDK, spdkRelease } from "./spdk-release.ts";
import { NamespaceWipe, type RawAnswer, type WipeLimits } from "./spdk-wipe.ts";

export interface SpdkBackendOptions {
  /** The target's socket, {@link DEFAULT_SPDK_SOCKET} by default. */
  readonly socket?: string | undefined;
  /** Trusted owners of the socket: root and the user of this process by default. Every user can create a socket in /var/tmp. */
  readonly trustedUids?: readonly number[];
  /** Timeout of a scan for the target, and then for each controller, ms; 5,000 by default. */
  readonly scanTimeoutMs?: number;
  readonly log?: Logger;
  /** Runs blkid; the real one by default. */
  readonly runner?: CommandRunner;
}

/** The default socket of an SPDK target (`-r` changes it). */
const DEFAULT_SPDK_SOCKET = "/var/tmp/spdk.sock";

/** JSON-RPC error codes of a target. */
const ENODEV = -19;
const EALREADY = -114;
/** A read must fit into the target's answer (at most 32 MiB of text) and into its DMA memory. */
const READ_BYTES = 512 * 1024;
/** The transfer size for a controller without a limit of its own, which every controller supports, in bytes. */
const CAREFUL_READ_BYTES = 64 * 1024;
/** A healthy target answers at once. A target that hangs must not delay the scan of other devices. */
const SCAN_TIMEOUT_MS = 5_000;

/**
 * Controllers of a running SPDK target, through its JSON-RPC socket. Without a target there are none.
 *
 * @see SPDK doc/jsonrpc.md: bdev_nvme_get_controllers, bdev_get_bdevs, bdev_nvme_get_controller_health_info,
 *   bdev_nvme_attach_controller, bdev_nvme_detach_controller, bdev_nvme_send_cmd
 */
export class SpdkBackend implements BdevBackend {
  readonly name = "spdk";
  readonly #socket: string;
  readonly #connection: SpdkConnection;
  readonly #trustedUids: readonly number[];
  readonly #scanTimeoutMs: number;
  readonly #log: Logger;
  readonly #runner: CommandRunner;

  constructor(options: SpdkBackendOptions = {}) {
    this.#socket = options.socket ?? DEFAULT_SPDK_SOCKET;
    this.#connection = new SpdkConnection(this.#socket);
    this.#trustedUids = options.trustedUids ?? [0, process.geteuid?.() ?? 0];
    this.#scanTimeoutMs = options.scanTimeoutMs ?? SCAN_TIMEOUT_MS;
    this.#log = options.log ?? silentLogger;
    this.#runner = options.runner ?? new ProcessCommandRunner();
  }

  async scan(options: BdevScanOptions = {}): Promise<readonly NvmeController[]> {
    options.signal?.throwIfAborted();
    try {
      const { uid } = await lstat(this.#socket);
      if (!this.#trustedUids.includes(uid)) throw new Error(`${this.#socket} belongs to user ${uid}`);
      const controllers = await this.#controllers({ signal: options.signal, timeoutMs: this.#scanTimeoutMs });
      return await Promise.all(controllers.map((controller) => this.#describe(controller, options)));
    } catch (error) {
      if (hasErrorCode(error, "ENOENT", "ECONNREFUSED")) return [];
      options.signal?.throwIfAborted();
      if (error instanceof Fault) throw error;
      throw faultSpdkFailed("scan for NVMe controllers", error, resolutionOf(error));
    }
  }

  /** Attaches a controller to the target if it is not attached yet. */
  async attach(pciAddress: string, options: BdevCallOptions = {}): Promise<void> {
    if ((await this.#find(pciAddress, options)) !== undefined) return;
    const params = { name: `Nvme_${pciAddress.replace(/[:.]/g, "_")}`, trtype: "PCIe", traddr: pciAddress };
    try {
      await this.#connection.call("bdev_nvme_attach_controller", params, options);
    } catch (error) {
      options.signal?.throwIfAborted();
      if (error instanceof SpdkError && error.code === EALREADY) return;
      if (error instanceof SpdkError && error.code === ENODEV) throw await this.#missing(pciAddress, options);
      throw faultSpdkFailed(`attach the NVMe controller ${pciAddress}`, error);
    }
  }

  async checkWipe(pciAddress: string, options: WipeOptions = {}): Promise<void> {
    const controller = await this.#find(pciAddress, options);
    if (controller === undefined) throw await this.#missing(pciAddress, options);
    try {
      await this.#refuse(controller, options);
    } catch (error) {
      throw await this.#whyFailed(pciAddress, error, options);
    }
  }

  /** Detaches the controller from the target, so that an engine can use it. */
  async wipe(pciAddress: string, options: WipeOptions = {}): Promise<void> {
    await this.attach(pciAddress, options);
    const controller = await this.#find(pciAddress, options);
    if (controller === undefined) throw await this.#missing(pciAddress, options);
    const { namespaces } = controller;
    try {
      const limits = await this.#refuse(controller, options);
      for (const [index, namespace] of namespaces.entries()) {
        const report = (step: "format" | "zero" | "verify", fraction: number) =>
          options.onProgress?.({ step, fraction: (index + fraction) / namespaces.length });
        const work = new NamespaceWipe(namespace, limits, report, (kind, command, bytes, call) =>
          this.#send(controller.name, kind, command, bytes, { signal: options.signal, ...call }),
        );
        if (!(await work.run())) {
          throw faultFormatFailed(pciAddress, `namespace ${namespace.id} is not empty afterwards`);
        }
      }
    } catch (error) {
      throw await this.#whyFailed(pciAddress, error, options);
    }
    await this.#detach(controller, options);
    options.onProgress?.({ step: "verify", fraction: 1 });
  }

  async #describe(controller: SpdkController, options: BdevScanOptions): Promise<NvmeController> {
    const { pciAddress, namespaces, numaNode = 0 } = controller;
    const asked = options.health !== false;
    const health = asked
      ? await this.#ask(controller, options, "its health", () => this.#health(controller, options))
      : undefined;
    const identity =
      controller.identity ??
      (asked
        ? await this.#ask(controller, options, "who it is", () => this.#identity(controller, options))
        : undefined);
    return {
      pciAddress,
      pciId: `${(identity?.vendor ?? "").padStart(4, "0")}:0000`,
      model: identity?.model ?? "",
      serial: identity?.serial ?? "",
      firmware: identity?.firmware ?? "",
      numaNode,
      driver: undefined,
      namespaces: namespaces.map(({ id, blockSize, blocks }) => ({ id, size: BigInt(blockSize) * blocks })),
      health,
      source: "spdk",
    };
  }

  /** Logs a warning and returns undefined for a controller that does not answer, so that it does not hide the others. */
  async #ask<T>(
    { pciAddress }: SpdkController,
    options: BdevCallOptions,
    what: string,
    question: () => Promise<T>,
  ): Promise<T | undefined> {
    try {
      return await question();
    } catch (error) {
      options.signal?.throwIfAborted();
      if (error instanceof SpdkConnectionLost) throw error;
      this.#log.warn(`the NVMe controller does not say ${what}`, { pciAddress, reason: String(error) });
      return undefined;
    }
  }

  /**
   * Reads the log page itself. The target's own answer has no warnings before v24.01, and its temperature wraps below 273
   * K.
   */
  async #health(controller: SpdkController, options: BdevCallOptions): Promise<NvmeHealth> {
    const { status, data } = await this.#send(
      controller.name,
      "admin",
      smartLogCommand(),
      SMART_LOG_BYTES,
      this.#scanCall(options),
    );
    if (status !== 0 || data.length < SMART_LOG_BYTES)
      throw new Error(`Get Log Page ended with status ${status.toString(16)}h and ${data.length} bytes`);
    return readSmartLog(data);
  }

  async #identity({ name }: SpdkController, options: BdevCallOptions): Promise<SpdkIdentity> {
    const call = { ...this.#scanCall(options), lane: name };
    return readSpdkIdentity(
      object(await this.#connection.call("bdev_nvme_get_controller_health_info", { name }, call)),
    );
  }

  #scanCall({ signal }: BdevCallOptions): SpdkCallOptions {
    return { signal, timeoutMs: this.#scanTimeoutMs };
  }

  async #controllers(options: SpdkCallOptions): Promise<readonly SpdkController[]> {
    const release = await callIfThere(
      (method) => this.#connection.call(method, {}, options),
      "spdk_get_version",
    );
    if (!isSupportedSpdk(release)) {
      throw new Error(
        `the target at ${this.#socket} is ${spdkRelease(release)}, and the oldest that is supported is ${OLDEST_SPDK}`,
      );
    }
    const controllers = await this.#connection.call("bdev_nvme_get_controllers", {}, options);
    return readSpdkControllers(controllers, await this.#connection.call("bdev_get_bdevs", {}, options));
  }

  /** The target looks at each new device in its own time. What is on it claims it only then. */
  async #awaitExamine(options: BdevCallOptions): Promise<void> {
    const call = (method: string) =>
      this.#connection.call(method, {}, { ...this.#scanCall(options), lane: "examine" });
    try {
      await callIfThere(call, "bdev_wait_for_examine");
    } catch (error) {
      options.signal?.throwIfAborted();
      if (error instanceof SpdkConnectionLost) throw error;
      this.#log.warn("the SPDK target does not end its look at its devices", { reason: String(error) });
    }
  }

  async #find(pciAddress: string, options: BdevCallOptions): Promise<SpdkController | undefined> {
    try {
      await this.#awaitExamine(options);
      return (await this.#controllers(options)).find((entry) => entry.pciAddress === pciAddress);
    } catch (error) {
      options.signal?.throwIfAborted();
      throw faultSpdkFailed(`look for the NVMe controller ${pciAddress}`, error, resolutionOf(error));
    }
  }

  async #missing(pciAddress: string, options: BdevCallOptions): Promise<Error> {
    return faultMissingDevices(
      [pciAddress],
      (await this.#controllers(options)).map((entry) => entry.pciAddress),
    );
  }

  /**
   * Refuses a controller that cannot be formatted now.
   *
   * @throws Fault bdevFormatFailed, bdevInUse, bdevHoldsData
   */
  async #refuse(controller: SpdkController, options: WipeOptions): Promise<WipeLimits> {
    const { pciAddress, namespaces, name } = controller;
    const attempted = `format the NVMe controller ${pciAddress}`;
    if (namespaces.length === 0) throw faultUnusable(attempted, "it has no namespaces");
    // Nothing would be read or wiped of it, and it would count as empty.
    const unknown = namespaces.find(
      ({ id, blockSize, blocks }) => id === 0 || blockSize === 0 || blocks === 0n,
    );
    if (unknown !== undefined)
      throw faultUnusable(attempted, `the SPDK target does not say the number and size of ${unknown.bdev}`);
    await this.#refuseUsed(controller, options);
    const limits = await this.#limits(controller, options);
    if (options.reformat === true) return limits;
    const { signal } = options;
    const found: string[] = [];
    for (const namespace of namespaces) {
      const { id, blockSize, bdev } = namespace;
      const read = async (first: bigint, count: number) => {
        const command = readCommand(id, first, count);
        const { status, data } = await this.#send(name, "io", command, count * blockSize, { signal });
        if (status !== 0) throw new Error(`Read ended with status ${status.toString(16)}h`);
        return data;
      };
      const what = await spdkContents(namespace, read, {
        runner: this.#runner,
        maxBytes: limits.readBytes,
        signal,
      });
      if (what !== undefined) found.push(`${bdev} holds ${what}`);
    }
    if (found.length > 0) throw faultHoldsData(pciAddress, found.join(", "));
    return limits;
  }

  /** @throws Fault bdevInUse with what uses it and how that ends */
  async #refuseUsed({ pciAddress, namespaces }: SpdkController, options: BdevCallOptions): Promise<void> {
    const attempted = `format the NVMe controller ${pciAddress}`;
    const call = (method: string) => this.#connection.call(method, {}, options);
    const claimed = namespaces.find((namespace) => namespace.claimed);
    if (claimed !== undefined) {
      const store = list(await callIfThere(call, "bdev_lvol_get_lvstores")).find((entry) =>
        claimed.names.includes(text(entry.base_bdev)),
      );
      if (store !== undefined) {
        throw faultInUse(
          attempted,
          `the SPDK target uses ${claimed.bdev}: the lvolstore ${text(store.name)} is on it`,
          `if its volumes are not needed, remove it (rpc.py bdev_lvol_delete_lvstore -u ${text(store.uuid)}), then repeat the format`,
        );
      }
      throw faultInUse(
        attempted,
        `the SPDK target uses ${claimed.bdev}`,
        "remove what uses it from the target (NVMe-oF subsystem, RAID, volume), or leave the controller out of bdev_list",
      );
    }
    const exported = await findSpdkExport(call, namespaces);
    if (exported !== undefined) {
      throw faultInUse(
        attempted,
        exported,
        "end the use and the export (umount, then rpc.py nbd_stop_disk, ublk_stop_disk, iscsi_delete_target_node or vhost_delete_controller), or leave the controller out of bdev_list",
      );
    }
  }

  /** Uses the largest transfer that the controller accepts, to send few commands to a shared target. */
  async #limits({ name }: SpdkController, options: BdevCallOptions): Promise<WipeLimits> {
    const command = identifyControllerCommand();
    const { status, data } = await this.#send(name, "admin", command, IDENTIFY_BYTES, options);
    if (status !== 0 || data.length < IDENTIFY_BYTES)
      return { readBytes: CAREFUL_READ_BYTES, mayFormat: false };
    return {
      readBytes: Math.min(READ_BYTES, maxTransferOf(data) ?? READ_BYTES),
      mayFormat: !formatsOthers(data),
    };
  }

  async #detach({ name, pciAddress }: SpdkController, options: BdevCallOptions): Promise<void> {
    try {
      await this.#connection.call("bdev_nvme_detach_controller", { name }, { ...options, lane: name });
    } catch (error) {
      options.signal?.throwIfAborted();
      if (error instanceof SpdkError && error.code === ENODEV) return;
      throw faultSpdkFailed(
        `detach the NVMe controller ${pciAddress}, which is formatted now,`,
        error,
        `detach it (rpc.py bdev_nvme_detach_controller ${name}) or stop the target: as long as the target has it, no engine can`,
      );
    }
  }

  /** The removal of a controller makes calls fail in many ways, and may end the target. */
  async #whyFailed(pciAddress: string, error: unknown, options: BdevCallOptions): Promise<unknown> {
    if (options.signal?.aborted === true) return options.signal.reason;
    if (error instanceof Fault) return error;
    const attempted = `format the NVMe controller ${pciAddress}`;
    if (error instanceof SpdkConnectionLost) {
      return faultVanished(attempted, `${error.message}, as it does when a controller is removed`);
    }
    try {
      const controllers = await this.#controllers(this.#scanCall(options));
      const now = controllers.find((entry) => entry.pciAddress === pciAddress);
      if (now === undefined || now.state === "failed" || now.state === "deleting") {
        return faultVanished(attempted, `the SPDK target has lost the controller (${String(error)})`);
      }
    } catch {
      // The first error has the cause.
    }
    return faultSpdkFailed(attempted, error);
  }

  async #send(
    name: string,
    kind: "admin" | "io",
    command: Buffer,
    dataBytes: number,
    options: SpdkCallOptions,
  ): Promise<RawAnswer> {
    const params: Json = {
      name,
      cmd_type: kind,
      data_direction: "c2h",
      cmdbuf: paddedBase64Url(command),
      ...(dataBytes > 0 ? { data_len: dataBytes } : {}),
    };
    const call = { ...options, lane: name };
    const answer = object(await this.#connection.call("bdev_nvme_send_cmd", params, call));
    return {
      status: completionStatus(Buffer.from(text(answer.cpl), "base64url")),
      data: Buffer.from(text(answer.data), "base64url"),
    };
  }
}

function resolutionOf(error: unknown): string | undefined {
  return hasErrorCode(error, "EACCES")
    ? "run the command as the user whose target it is, or give this user write access to its socket"
    : undefined;
}
