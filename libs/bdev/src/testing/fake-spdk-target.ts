import { createServer, type Server } from "node:net";

/** A controller of a {@link FakeSpdkTarget}, with one namespace of 512-byte blocks. */
export interface FakeSpdkController {
  readonly address: string;
  readonly serial: string;
  readonly contents: Buffer;
  /** True for one that the target does not drive yet. */
  detached?: boolean;
  claimed?: boolean;
}

type Params = Readonly<Record<string, unknown>>;

const BLOCK = 512;

/**
 * An SPDK target as far as the backend needs it: it answers on a socket, executes Format NVM, Read and Write Zeroes, and
 * refuses what the real one refuses.
 *
 * @see SPDK doc/jsonrpc.md
 */
export class FakeSpdkTarget {
  readonly controllers: FakeSpdkController[];
  /** Methods in the order of the calls. */
  readonly called: string[] = [];
  /** The block format in use: Format NVM must keep it. */
  lbaFormat = 4;
  /** A status for Format NVM, 0 for success. */
  formatStatus = 0;
  /** What Format NVM does to the contents. */
  onFormat: (controller: FakeSpdkController) => void = ({ contents }) => contents.fill(0);
  readonly #server: Server;

  constructor(controllers: readonly FakeSpdkController[]) {
    this.controllers = [...controllers];
    this.#server = createServer((socket) => {
      socket.on("error", () => {});
      socket.on("data", (data) => {
        const { id, method, params } = JSON.parse(data.toString("utf8")) as {
          id: number;
          method: string;
          params?: Params;
        };
        this.called.push(method);
        const answer = this.#answer(method, params ?? {});
        const text = JSON.stringify({ jsonrpc: "2.0", id, ...answer });
        // In two pieces, with a quoted brace where a careless reader would stop.
        socket.write(text.slice(0, 20));
        setImmediate(() => socket.write(`${text.slice(20)}\n`));
      });
    });
  }

  listen(path: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(path, resolve);
    });
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  #answer(
    method: string,
    params: Params,
  ): { result: unknown } | { error: { code: number; message: string } } {
    const attached = this.controllers.filter(({ detached }) => detached !== true);
    const byName = attached.find((entry) => nameOf(entry) === params.name);
    switch (method) {
      case "bdev_nvme_get_controllers":
        return { result: attached.map((entry) => describe(entry)) };
      case "bdev_get_bdevs":
        return { result: attached.map((entry) => describeBdev(entry)) };
      case "bdev_nvme_get_controller_health_info":
        return byName === undefined ? noDevice() : { result: HEALTH };
      case "bdev_nvme_attach_controller": {
        const found = this.controllers.find(({ address }) => address === params.traddr);
        if (found === undefined) return noDevice();
        found.detached = false;
        return { result: [`${nameOf(found)}n1`] };
      }
      case "bdev_nvme_send_cmd":
        // What lib/util/base64.c refuses is an invalid parameter, as is an unknown controller.
        if (byName === undefined || String(params.cmdbuf).length % 4 !== 0)
          return { error: { code: -32602, message: "Invalid argument" } };
        return { result: this.#execute(byName, params) };
      default:
        return { error: { code: -32601, message: `Method not found {"${method}"}` } };
    }
  }

  #execute(controller: FakeSpdkController, params: Params): { cpl: string; data?: string } {
    const entry = Buffer.from(String(params.cmdbuf), "base64url");
    const opcode = entry.readUInt8(0);
    const from = Number(entry.readBigUInt64LE(40)) * BLOCK;
    const to = from + (entry.readUInt16LE(48) + 1) * BLOCK;
    if (params.cmd_type === "admin" && opcode === 0x80) {
      // Any other block format would change the size of the blocks.
      if ((entry.readUInt32LE(40) & 0x0f) !== this.lbaFormat) return { cpl: completion(0x10a) };
      if (this.formatStatus === 0) this.onFormat(controller);
      return { cpl: completion(this.formatStatus) };
    }
    if (params.cmd_type === "admin" && opcode === 0x06) {
      const identify = Buffer.alloc(4096);
      identify.writeUInt8(this.lbaFormat & 0x0f, 26);
      return { cpl: completion(0), data: identify.toString("base64url") };
    }
    if (to > controller.contents.length) return { cpl: completion(0x80) };
    if (opcode === 0x02) {
      return { cpl: completion(0), data: controller.contents.subarray(from, to).toString("base64url") };
    }
    if (opcode === 0x08) {
      controller.contents.fill(0, from, to);
      return { cpl: completion(0) };
    }
    return { cpl: completion(0x01) };
  }
}

function completion(status: number): string {
  const entry = Buffer.alloc(16);
  entry.writeUInt16LE(status << 1, 14);
  return entry.toString("base64url");
}

function noDevice() {
  return { error: { code: -19, message: "No such device" } };
}

function nameOf({ serial }: FakeSpdkController): string {
  return `Nvme_${serial}`;
}

function describe(controller: FakeSpdkController) {
  const trid = { trtype: "PCIe", traddr: controller.address };
  return { name: nameOf(controller), ctrlrs: [{ state: "enabled", trid, cntlid: 0 }] };
}

function describeBdev(controller: FakeSpdkController) {
  return {
    name: `${nameOf(controller)}n1`,
    product_name: "NVMe disk",
    block_size: BLOCK,
    num_blocks: controller.contents.length / BLOCK,
    claimed: controller.claimed === true,
    driver_specific: {
      nvme: [
        {
          pci_address: controller.address,
          trid: { trtype: "PCIe", traddr: controller.address },
          ctrlr_data: {
            cntlid: 0,
            vendor_id: "0x1b36",
            model_number: "QEMU NVMe Ctrl",
            serial_number: controller.serial,
            firmware_revision: "7.2.22",
          },
          ns_data: { id: 1 },
        },
      ],
    },
  };
}

const HEALTH = {
  critical_warning: 0,
  temperature_celsius: 50,
  percentage_used: 0,
  power_cycles: 3,
  power_on_hours: 7,
  media_errors: 0,
};
