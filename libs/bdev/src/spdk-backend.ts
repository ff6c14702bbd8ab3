import { lstat } from "node:fs/promises";
import { hasErrorCode } from "@daos/sys";
import type { BdevBackend, BdevCallOptions, BdevScanOptions, WipeOptions } from "./bdev-backend.ts";
import type { NvmeController, NvmeHealth } from "./bdev-types.ts";
import { faultFormatFailed, faultInUse, faultMissingDevices, faultSpdkFailed } from "./faults.ts";
import {
  completionStatus,
  formatCommand,
  IDENTIFY_BYTES,
  identifyNamespaceCommand,
  lbaFormatOf,
  paddedBase64Url,
  readCommand,
  writeZeroesCommand,
} from "./nvme-command.ts";
import { parsePciAddress } from "./pci-address.ts";
import { callSpdk, type SpdkCallOptions, SpdkError } from "./spdk-client.ts";
import { END_BYTES } from "./zero-ends.ts";

export interface SpdkBackendOptions {
  /** The target's socket, {@link DEFAULT_SPDK_SOCKET} by default. */
  readonly socket?: string;
  /** Whose target is believed: root's and this process's by default, since anybody may make a socket in /var/tmp. */
  readonly trustedUids?: readonly number[];
}

/** Where an SPDK target listens unless it is told otherwise (`-r`). */
export const DEFAULT_SPDK_SOCKET = "/var/tmp/spdk.sock";

type Json = Readonly<Record<string, unknown>>;

/** A namespace as the target's block device has it. */
interface SpdkNamespace {
  readonly bdev: string;
  readonly id: number;
  readonly blockSize: number;
  readonly blocks: bigint;
  readonly claimed: boolean;
}

interface SpdkController {
  readonly name: string;
  readonly pciAddress: string;
  readonly namespaces: readonly SpdkNamespace[];
  /** `ctrlr_data` of its first namespace. */
  readonly data: Json;
}

const ENODEV = -19;
const KELVIN = 273;
/** A read must fit into the target's answer, which is text. */
const READ_BYTES = 128 * 1024;
const FORMAT_TIMEOUT_MS = 4 * 3_600_000;
/** A target that is there answers at once; one that hangs must not hold up the scan of everything else. */
const SCAN_TIMEOUT_MS = 5_000;

/**
 * Controllers of a running SPDK target, through its JSON-RPC socket. Without a target there are none.
 *
 * @see SPDK doc/jsonrpc.md: bdev_nvme_get_controllers, bdev_get_bdevs, bdev_nvme_get_controller_health_info,
 *   bdev_nvme_attach_controller, bdev_nvme_send_cmd
 */
export class SpdkBackend implements BdevBackend {
  readonly name = "spdk";
  readonly #socket: string;
  readonly #trustedUids: readonly number[];

  constructor(options: SpdkBackendOptions = {}) {
    this.#socket = options.socket ?? DEFAULT_SPDK_SOCKET;
    this.#trustedUids = options.trustedUids ?? [0, process.geteuid?.() ?? 0];
  }

  async scan(options: BdevScanOptions = {}): Promise<readonly NvmeController[]> {
    options.signal?.throwIfAborted();
    try {
      const { uid } = await lstat(this.#socket);
      if (!this.#trustedUids.includes(uid)) throw new Error(`${this.#socket} belongs to user ${uid}`);
      const controllers = await this.#controllers({ signal: options.signal, timeoutMs: SCAN_TIMEOUT_MS });
      return await Promise.all(
        controllers.map(async ({ name, pciAddress, namespaces, data }) => ({
          pciAddress,
          pciId: `${hex(data.vendor_id)}:0000`,
          model: text(data.model_number),
          serial: text(data.serial_number),
          firmware: text(data.firmware_revision),
          numaNode: 0,
          driver: undefined,
          namespaces: namespaces.map(({ id, blockSize, blocks }) => ({
            id,
            size: BigInt(blockSize) * blocks,
          })),
          health: options.health === false ? undefined : await this.#health(name, options),
          source: "spdk" as const,
        })),
      );
    } catch (error) {
      if (hasErrorCode(error, "ENOENT", "ECONNREFUSED", "EACCES")) return [];
      options.signal?.throwIfAborted();
      throw faultSpdkFailed("scan for NVMe controllers", error);
    }
  }

  /** Lets the target drive a controller that it does not drive yet; one that it drives already stays. */
  async attach(pciAddress: string, options: BdevCallOptions = {}): Promise<void> {
    if ((await this.#find(pciAddress, options)) !== undefined) return;
    const params = { name: `Nvme_${pciAddress.replace(/[:.]/g, "_")}`, trtype: "PCIe", traddr: pciAddress };
    try {
      await this.#call("bdev_nvme_attach_controller", params, options);
    } catch (error) {
      options.signal?.throwIfAborted();
      if (error instanceof SpdkError && error.code === ENODEV) throw await this.#missing(pciAddress, options);
      throw faultSpdkFailed(`attach the NVMe controller ${pciAddress}`, error);
    }
  }

  async wipe(pciAddress: string, options: WipeOptions = {}): Promise<void> {
    await this.attach(pciAddress, options);
    const controller = await this.#find(pciAddress, options);
    if (controller === undefined) throw await this.#missing(pciAddress, options);
    const claimed = controller.namespaces.find((namespace) => namespace.claimed);
    if (claimed !== undefined) {
      throw faultInUse(`format the NVMe controller ${pciAddress}`, `the SPDK target uses ${claimed.bdev}`);
    }
    if (controller.namespaces.length === 0) throw faultFormatFailed(pciAddress, "it has no namespaces");
    for (const [index, namespace] of controller.namespaces.entries()) {
      const part = (fraction: number) => (index + fraction) / controller.namespaces.length;
      const report = (step: "format" | "zero" | "verify", fraction: number) =>
        options.onProgress?.({ step, fraction: part(fraction) });
      try {
        report("format", 0);
        const formatted = await this.#format(controller, namespace, options);
        report("verify", 0.8);
        if (formatted && (await this.#isZero(controller, namespace, options))) continue;
        report("zero", 0.85);
        await this.#zeroEnds(controller, namespace, options);
        report("verify", 0.95);
        if (await this.#isZero(controller, namespace, options)) continue;
      } catch (error) {
        options.signal?.throwIfAborted();
        throw faultSpdkFailed(`format the NVMe controller ${pciAddress}`, error);
      }
      throw faultFormatFailed(pciAddress, `namespace ${namespace.id} is not empty afterwards`);
    }
    options.onProgress?.({ step: "verify", fraction: 1 });
  }

  async #controllers(options: SpdkCallOptions): Promise<readonly SpdkController[]> {
    const [controllers, bdevs] = await Promise.all([
      this.#call("bdev_nvme_get_controllers", {}, options),
      this.#call("bdev_get_bdevs", {}, options),
    ]);
    return array(controllers).flatMap((entry) => {
      const [path] = array(entry.ctrlrs);
      const trid = object(path?.trid);
      const address = parsePciAddress(text(trid.traddr));
      if (address === undefined || text(trid.trtype).toLowerCase() !== "pcie") return [];
      const own = array(bdevs).flatMap((bdev) => {
        const [nvme] = array(object(bdev.driver_specific).nvme);
        return nvme !== undefined && parsePciAddress(text(nvme.pci_address)) === address
          ? [{ bdev, nvme }]
          : [];
      });
      return {
        name: text(entry.name),
        pciAddress: address,
        data: object(own[0]?.nvme.ctrlr_data),
        namespaces: own.map(({ bdev, nvme }) => ({
          bdev: text(bdev.name),
          id: number(object(nvme.ns_data).id),
          blockSize: number(bdev.block_size),
          blocks: BigInt(number(bdev.num_blocks)),
          claimed: bdev.claimed === true,
        })),
      };
    });
  }

  async #find(pciAddress: string, options: BdevCallOptions): Promise<SpdkController | undefined> {
    try {
      return (await this.#controllers(options)).find((entry) => entry.pciAddress === pciAddress);
    } catch (error) {
      options.signal?.throwIfAborted();
      throw faultSpdkFailed(`look for the NVMe controller ${pciAddress}`, error);
    }
  }

  async #missing(pciAddress: string, options: BdevCallOptions): Promise<Error> {
    return faultMissingDevices(
      [pciAddress],
      (await this.#controllers(options)).map((entry) => entry.pciAddress),
    );
  }

  async #health(name: string, options: BdevCallOptions): Promise<NvmeHealth | undefined> {
    try {
      const info = object(await this.#call("bdev_nvme_get_controller_health_info", { name }, options));
      return parseSpdkHealth(info);
    } catch (error) {
      if (error instanceof SpdkError) return undefined;
      throw error;
    }
  }

  /** False when the controller does not know the command. */
  async #format(
    controller: SpdkController,
    namespace: SpdkNamespace,
    options: WipeOptions,
  ): Promise<boolean> {
    const identify = identifyNamespaceCommand(namespace.id);
    const { status: unknown, data } = await this.#send(
      controller.name,
      "admin",
      identify,
      IDENTIFY_BYTES,
      options,
    );
    // Another block format would be another block size.
    if (unknown !== 0 || data.length < IDENTIFY_BYTES) return false;
    const format = formatCommand(namespace.id, lbaFormatOf(data));
    const { status } = await this.#send(controller.name, "admin", format, 0, {
      signal: options.signal,
      timeoutMs: FORMAT_TIMEOUT_MS,
    });
    return status === 0;
  }

  async #zeroEnds(controller: SpdkController, namespace: SpdkNamespace, options: WipeOptions): Promise<void> {
    for (const [first, count] of pieces(namespace, 65_536)) {
      const { status } = await this.#send(
        controller.name,
        "io",
        writeZeroesCommand(namespace.id, first, count),
        0,
        options,
      );
      if (status !== 0) throw new Error(`Write Zeroes ended with status ${status.toString(16)}h`);
    }
  }

  async #isZero(
    controller: SpdkController,
    namespace: SpdkNamespace,
    options: WipeOptions,
  ): Promise<boolean> {
    const zeros = Buffer.alloc(READ_BYTES);
    for (const [first, count] of pieces(namespace, Math.floor(READ_BYTES / namespace.blockSize))) {
      const bytes = count * namespace.blockSize;
      const { status, data } = await this.#send(
        controller.name,
        "io",
        readCommand(namespace.id, first, count),
        bytes,
        options,
      );
      if (status !== 0) throw new Error(`Read ended with status ${status.toString(16)}h`);
      if (!zeros.subarray(0, bytes).equals(data)) return false;
    }
    return true;
  }

  async #send(
    name: string,
    kind: "admin" | "io",
    command: Buffer,
    dataBytes: number,
    options: SpdkCallOptions,
  ): Promise<{ readonly status: number; readonly data: Buffer }> {
    const answer = object(
      await this.#call(
        "bdev_nvme_send_cmd",
        {
          name,
          cmd_type: kind,
          data_direction: "c2h",
          cmdbuf: paddedBase64Url(command),
          ...(dataBytes > 0 ? { data_len: dataBytes } : {}),
        },
        options,
      ),
    );
    return {
      status: completionStatus(Buffer.from(text(answer.cpl), "base64url")),
      data: Buffer.from(text(answer.data), "base64url"),
    };
  }

  #call(method: string, params: Json, options: SpdkCallOptions): Promise<unknown> {
    return callSpdk(this.#socket, method, params, options);
  }
}

/** The first and the last megabytes, in pieces of at most so many blocks. */
function* pieces(namespace: SpdkNamespace, most: number): Generator<readonly [bigint, number]> {
  const { blocks, blockSize } = namespace;
  const end = BigInt(Math.floor(END_BYTES / blockSize));
  const head = end < blocks ? end : blocks;
  const tail = blocks - end > head ? blocks - end : head;
  for (const [from, to] of [
    [0n, head],
    [tail, blocks],
  ] as const) {
    for (let at = from; at < to; at += BigInt(most)) {
      yield [at, Number(to - at < BigInt(most) ? to - at : BigInt(most))];
    }
  }
}

/** Reads the answer of bdev_nvme_get_controller_health_info; its temperature is in degrees Celsius. */
export function parseSpdkHealth(info: Json): NvmeHealth {
  const warnings = number(info.critical_warning);
  const counter = (name: string) => BigInt(Math.trunc(number(info[name])));
  return {
    temperature: number(info.temperature_celsius) + KELVIN,
    temperatureWarningTime: number(info.warning_temperature_time_minutes),
    temperatureCriticalTime: number(info.critical_composite_temperature_time_minutes),
    controllerBusyTime: counter("controller_busy_time"),
    powerCycles: counter("power_cycles"),
    powerOnHours: counter("power_on_hours"),
    unsafeShutdowns: counter("unsafe_shutdowns"),
    mediaErrors: counter("media_errors"),
    errorLogEntries: counter("num_err_log_entries"),
    spareWarning: (warnings & 1) !== 0,
    temperatureWarning: (warnings & 2) !== 0,
    reliabilityWarning: (warnings & 4) !== 0,
    readOnlyWarning: (warnings & 8) !== 0,
    volatileWarning: (warnings & 16) !== 0,
    percentUsed: number(info.percentage_used),
  };
}

function object(value: unknown): Json {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

function array(value: unknown): readonly Json[] {
  return Array.isArray(value) ? value.map(object) : [];
}

function text(value: unknown): string {
  return typeof value === "string" ? value.trim() : "";
}

function number(value: unknown): number {
  const parsed = Number(value ?? 0);
  return Number.isFinite(parsed) ? parsed : 0;
}

function hex(value: unknown): string {
  return text(value).replace(/^0x/, "").padStart(4, "0");
}
