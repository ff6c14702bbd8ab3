import { readFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { type FakeSpdkController, FakeSpdkDrive, nameOf } from "./fake-spdk-drive.ts";

/** The releases whose answers the fake has. @see fixtures/spdk/README.md */
export const SPDK_RELEASES = ["v21.07", "v22.01", "v23.01", "v24.09", "v26.05"] as const;
export type SpdkRelease = (typeof SPDK_RELEASES)[number];

type Params = Readonly<Record<string, unknown>>;
type Answer = { readonly result: unknown } | { readonly error: { code: number; message: string } };

/** Methods that the fake knows, with the parameters that they must and may have. */
const METHODS: Readonly<
  Record<string, { readonly needs?: readonly string[]; readonly may?: readonly string[] }>
> = {
  spdk_get_version: {},
  bdev_wait_for_examine: {},
  bdev_nvme_get_controllers: { may: ["name"] },
  bdev_get_bdevs: { may: ["name", "timeout"] },
  bdev_nvme_get_controller_health_info: { needs: ["name"] },
  bdev_nvme_attach_controller: { needs: ["name", "trtype", "traddr"] },
  bdev_nvme_detach_controller: { needs: ["name"] },
  bdev_nvme_send_cmd: {
    needs: ["name", "cmd_type", "data_direction", "cmdbuf"],
    may: ["data", "metadata", "data_len", "metadata_len", "timeout_ms"],
  },
  bdev_lvol_get_lvstores: { may: ["uuid", "lvs_name"] },
  nbd_get_disks: { may: ["nbd_device"] },
  iscsi_get_target_nodes: {},
  ublk_get_disks: { may: ["ublk_id"] },
  vhost_get_controllers: { may: ["name"] },
};

const MAX_CONNECTIONS = 64;
/** A request must fit into the target's buffer. */
const MAX_REQUEST = 32 * 1024;
const ENODEV = -19;
const INVALID_REQUEST = -32600;
const METHOD_NOT_FOUND = -32601;
const INVALID_PARAMS = -32602;
const INTERNAL_ERROR = -32603;

export interface FakeSpdkOptions {
  /** Which SPDK it is; v24.09 by default. */
  readonly release?: SpdkRelease;
  /** The answer of spdk_get_version; the release's own by default. */
  readonly version?: unknown;
}

/**
 * A fake SPDK target with the methods that the backend uses. It answers on a socket and executes raw NVMe commands. It
 * refuses what the real target refuses, with the codes and texts measured on `spdk_tgt` v23.01, v24.09 and v26.05;
 * those of v21.07 and v22.01 are from the source. The suite `spdk-contract.test.ts` runs on it and on a real target.
 *
 * @see SPDK doc/jsonrpc.md, lib/jsonrpc, module/bdev/nvme/bdev_nvme_rpc.c, module/bdev/nvme/nvme_rpc.c
 */
export class FakeSpdkTarget {
  readonly controllers: FakeSpdkController[];
  /** Methods in the order of the calls. */
  readonly called: string[] = [];
  /** The sizes of the raw reads, in bytes. */
  readonly reads: number[] = [];
  /** The block format in use: Format NVM must keep it. */
  lbaFormat = 4;
  /** A status for Format NVM, 0 for success. */
  formatStatus = 0;
  /** The effect of Format NVM on the contents. */
  onFormat: (controller: FakeSpdkController) => void = ({ contents }) => contents.fill(0);
  /** What examining new devices finds before bdev_wait_for_examine is answered. */
  onExamined: () => void | Promise<void> = () => {};
  /** Called before each raw command, so that a test can cause an event. */
  onCommand: (controller: FakeSpdkController, opcode: number) => void = () => {};
  /** Connections that occupy one of the target's 64 slots. */
  readonly connections = new Set<Connection>();
  readonly #release: SpdkFixture;
  readonly #version: unknown;
  readonly #server: Server;
  readonly #waiting: Socket[] = [];

  constructor(controllers: readonly FakeSpdkController[], options: FakeSpdkOptions = {}) {
    this.controllers = [...controllers];
    this.#release = readFixture(options.release ?? "v24.09");
    this.#version = options.version ?? this.#release.spdk_get_version;
    this.#server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
      this.#waiting.push(socket);
      this.#accept();
    });
  }

  listen(path: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(path, resolve);
    });
  }

  /** Ends the target and closes the connections of its clients. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      for (const socket of this.#waiting.splice(0)) socket.destroy();
      for (const { socket } of [...this.connections]) socket.destroy();
    });
  }

  /** A target without a free slot leaves a client in the backlog of the socket. */
  #accept(): void {
    while (this.connections.size < MAX_CONNECTIONS) {
      const socket = this.#waiting.shift();
      if (socket === undefined) return;
      const connection = new Connection(
        socket,
        (request) => this.#handle(request),
        () => {
          this.connections.delete(connection);
          this.#accept();
        },
      );
      this.connections.add(connection);
    }
  }

  async #handle(request: unknown): Promise<string> {
    if (typeof request !== "object" || request === null || Array.isArray(request)) {
      return frame(null, failure(INVALID_REQUEST, "Invalid request"));
    }
    const { jsonrpc, id = null, method, params, ...others } = request as Params;
    const isValid = (jsonrpc === undefined || jsonrpc === "2.0") && typeof method === "string";
    if (!isValid || Object.keys(others).length > 0)
      return frame(id, failure(INVALID_REQUEST, "Invalid request"));
    this.called.push(method);
    return frame(id, await this.#answer(method, params ?? undefined));
  }

  async #answer(method: string, given: unknown): Promise<Answer> {
    const known = METHODS[method];
    if (known === undefined || this.#isOlderThan(method))
      return failure(METHOD_NOT_FOUND, "Method not found");
    const { needs = [], may = [] } = known;
    const isRaw = method === "bdev_nvme_send_cmd";
    if (needs.length === 0 && may.length === 0 && given !== undefined)
      return failure(INVALID_PARAMS, `${method} requires no parameters`);
    const params = (given ?? {}) as Params;
    const names = Object.keys(params);
    const fits =
      !Array.isArray(given) &&
      needs.every((name) => typeof params[name] === "string") &&
      names.every((name) => needs.includes(name) || may.includes(name));
    if (!fits) {
      return isRaw
        ? failure(INVALID_PARAMS, "Invalid argument")
        : failure(INTERNAL_ERROR, "spdk_json_decode_object failed");
    }
    return this.#execute(method, params);
  }

  /** ublk came with v23.01. */
  #isOlderThan(method: string): boolean {
    return method === "ublk_get_disks" && this.#release.release < "v23.01";
  }

  async #execute(method: string, params: Params): Promise<Answer> {
    const attached = this.controllers.filter(({ detached }) => detached !== true);
    const byName = attached.find((entry) => nameOf(entry) === params.name);
    switch (method) {
      case "spdk_get_version":
        return { result: this.#version };
      case "bdev_wait_for_examine":
        await this.onExamined();
        return { result: true };
      case "bdev_nvme_get_controllers":
        if (params.name !== undefined && byName === undefined)
          return failure(this.#release.release === "v26.05" ? -22 : 22, "Invalid argument");
        return { result: (byName === undefined ? attached : [byName]).map((entry) => this.#describe(entry)) };
      case "bdev_get_bdevs": {
        const bdevs = attached.filter((entry) => entry.withoutNamespaces !== true);
        const found = bdevs.filter((entry) => params.name === undefined || bdevOf(entry) === params.name);
        if (params.name !== undefined && found.length === 0) return failure(ENODEV, "No such device");
        return { result: found.map((entry) => this.#describeBdev(entry)) };
      }
      case "bdev_nvme_get_controller_health_info":
        if (byName === undefined) return failure(INTERNAL_ERROR, "Device not found");
        await hang(byName);
        return { result: fill(this.#release.bdev_nvme_get_controller_health_info, valuesOf(byName)) };
      case "bdev_nvme_attach_controller": {
        const found = this.controllers.find(({ address }) => address === params.traddr);
        if (found === undefined) return failure(ENODEV, "No such device");
        if (found.detached !== true) return failure(-114, "Operation already in progress");
        found.detached = false;
        return { result: [bdevOf(found)] };
      }
      case "bdev_nvme_detach_controller":
        if (byName === undefined) return failure(ENODEV, "No such device");
        byName.detached = true;
        return { result: true };
      case "bdev_nvme_send_cmd": {
        const command = Buffer.from(String(params.cmdbuf), "base64url");
        const isPadded = String(params.cmdbuf).length % 4 === 0;
        if (byName === undefined || !isPadded || command.length !== 64)
          return failure(INVALID_PARAMS, "Invalid argument");
        this.onCommand(byName, command.readUInt8(0));
        await hang(byName);
        if (byName.detached === true) return failure(INVALID_PARAMS, "Invalid argument");
        return { result: new FakeSpdkDrive(this, byName).execute(params, command) };
      }
      default:
        return { result: attached.flatMap((entry) => exportOf(method, entry)) };
    }
  }

  #describe(controller: FakeSpdkController): unknown {
    return fill(this.#release.bdev_nvme_get_controllers, valuesOf(controller));
  }

  #describeBdev(controller: FakeSpdkController): unknown {
    return fill(this.#release.bdev_get_bdevs, valuesOf(controller));
  }
}

/** One client. Requests may come in parts or several at once. It keeps its slot until all are answered. */
class Connection {
  readonly socket: Socket;
  #text = "";
  #underWay = 0;
  #closed = false;
  #written: Promise<void> = Promise.resolve();
  readonly #handle: (request: unknown) => Promise<string>;
  readonly #free: () => void;

  constructor(socket: Socket, handle: (request: unknown) => Promise<string>, free: () => void) {
    this.socket = socket;
    this.#handle = handle;
    this.#free = free;
    socket.on("error", () => {});
    socket.on("close", () => {
      this.#closed = true;
      this.#release();
    });
    socket.on("end", () => socket.destroy());
    socket.setEncoding("utf8").on("data", (text: string) => this.#read(text));
    socket.resume();
  }

  #read(text: string): void {
    this.#text += text;
    for (;;) {
      const end = endOfValue(this.#text);
      if (end === undefined && this.#text.length < MAX_REQUEST) return;
      let request: unknown;
      try {
        request = JSON.parse(this.#text.slice(0, end));
      } catch {
        // The real target logs the reason and sends none.
        this.socket.destroy();
        return;
      }
      this.#text = this.#text.slice(end);
      void this.#answer(request);
      if (this.#text.trim() === "") return;
    }
  }

  async #answer(request: unknown): Promise<void> {
    this.#underWay += 1;
    const answer = await this.#handle(request);
    this.#underWay -= 1;
    this.#release();
    this.#written = this.#written.then(() => this.#write(answer));
  }

  /** In two chunks, split after a quoted brace, which a careless parser takes for the end. */
  async #write(answer: string): Promise<void> {
    if (this.#closed) return;
    this.socket.write(answer.slice(0, 20));
    await new Promise((resolve) => setImmediate(resolve));
    this.socket.write(answer.slice(20));
  }

  #release(): void {
    if (this.#closed && this.#underWay === 0) this.#free();
  }
}

/** The end of the first JSON value in a text; undefined for an incomplete value. Invalid text ends at its length. */
function endOfValue(text: string): number | undefined {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] ?? "";
    if (inString) {
      if (character === "\\") at += 1;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = true;
    else if (character === "{" || character === "[") depth += 1;
    else if (character === "}" || character === "]") {
      depth -= 1;
      if (depth <= 0) return at + 1;
    } else if (depth === 0 && character.trim() !== "") return text.length;
  }
  return undefined;
}

interface SpdkFixture {
  readonly release: string;
  readonly spdk_get_version: unknown;
  readonly bdev_nvme_get_controllers: unknown;
  readonly bdev_get_bdevs: unknown;
  readonly bdev_nvme_get_controller_health_info: unknown;
}

function readFixture(release: SpdkRelease): SpdkFixture {
  const path = new URL(`../../fixtures/spdk/${release}.json`, import.meta.url);
  return JSON.parse(readFileSync(path, "utf8")) as SpdkFixture;
}

/** A fixture with `@name` and the like replaced: by the value where they stand alone, else by its text. */
function fill(shape: unknown, values: Readonly<Record<string, unknown>>): unknown {
  if (typeof shape === "string") {
    const [whole = "", name = ""] = /@(\w+)/.exec(shape) ?? [];
    if (whole === "") return shape;
    return whole === shape ? values[name] : shape.replace(whole, String(values[name]));
  }
  if (Array.isArray(shape)) return shape.map((entry: unknown) => fill(entry, values));
  if (typeof shape !== "object" || shape === null) return shape;
  return Object.fromEntries(Object.entries(shape).map(([key, entry]) => [key, fill(entry, values)]));
}

function valuesOf(controller: FakeSpdkController): Readonly<Record<string, unknown>> {
  const { address, serial, contents, blockSize = 512, kelvin = 323 } = controller;
  const celsius = BigInt.asUintN(64, BigInt(kelvin - 273));
  return {
    name: nameOf(controller),
    bdev: bdevOf(controller),
    address,
    serial,
    uuid: `00000000-0000-4000-8000-${Buffer.from(serial).toString("hex").padEnd(12, "0").slice(0, 12)}`,
    numaNode: controller.numaNode ?? 0,
    namespace: controller.namespaceId ?? 1,
    blockSize,
    blocks: contents.length / blockSize,
    claimed: controller.claimed === true || controller.lvolstore !== undefined,
    criticalWarning: controller.criticalWarning ?? 0,
    celsius,
  };
}

function bdevOf(controller: FakeSpdkController): string {
  return `${nameOf(controller)}n${controller.namespaceId ?? 1}`;
}

/** A drive that hangs answers when the test releases it. */
async function hang(controller: FakeSpdkController): Promise<void> {
  await controller.hang;
}

function exportOf(method: string, controller: FakeSpdkController): readonly unknown[] {
  const bdev = bdevOf(controller);
  switch (method) {
    case "bdev_lvol_get_lvstores":
      return controller.lvolstore === undefined
        ? []
        : [{ uuid: "2b6b7b3d-8a8f-4c36-9a8c-7d0bfb9ca0f1", name: controller.lvolstore, base_bdev: bdev }];
    case "nbd_get_disks":
      return controller.exported === "nbd" ? [{ nbd_device: "/dev/nbd0", bdev_name: bdev }] : [];
    case "ublk_get_disks":
      return controller.exported === "ublk" ? [{ ublk_device: "/dev/ublkb1", id: 1, bdev_name: bdev }] : [];
    case "iscsi_get_target_nodes":
      return controller.exported === "iscsi"
        ? [{ name: "iqn.2016-06.io.spdk:disk1", luns: [{ lun_id: 0, bdev_name: bdev }] }]
        : [];
    case "vhost_get_controllers":
      if (controller.exported === "vhost-blk")
        return [{ ctrlr: "vhost.0", backend_specific: { block: { readonly: false, bdev } } }];
      if (controller.exported === "vhost-scsi")
        return [
          {
            ctrlr: "vhost.1",
            backend_specific: { scsi: [{ scsi_dev_num: 0, id: 0, luns: [{ id: 0, bdev_name: bdev }] }] },
          },
        ];
      return [];
    default:
      throw new Error(`the fake target has no ${method}`);
  }
}

/** Encodes as SPDK does: integers of any size, and a final newline. */
function frame(id: unknown, answer: Answer): string {
  const text = JSON.stringify({ jsonrpc: "2.0", id, ...answer }, (_key, value: unknown) =>
    typeof value === "bigint" ? `#${value}#` : value,
  );
  return `${text.replace(/"#(\d+)#"/g, "$1")}\n`;
}

function failure(code: number, message: string): Answer {
  return { error: { code, message } };
}
