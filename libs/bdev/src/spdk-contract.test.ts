import { lstat, mkdtemp, rm } from "node:fs/promises";
import { createConnection, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { JsonStream } from "./json-stream.ts";
import { identifyControllerCommand, paddedBase64Url } from "./nvme-command.ts";
import { readSpdkControllers } from "./spdk-answers.ts";
import { SpdkBackend } from "./spdk-backend.ts";
import { FakeSpdkTarget, SPDK_RELEASES, type SpdkRelease } from "./testing/fake-spdk-target.ts";

/**
 * What the backend assumes about a target. With DAOS_SPDK_SOCKET the suite runs on a real target, which must drive a
 * controller of the PCI bus (`npm run test:spdk`). Nothing is written to its devices, unless DAOS_SPDK_FORMAT has the
 * address of a controller: that one is erased.
 */
const { DAOS_SPDK_SOCKET: real, DAOS_SPDK_FORMAT: toFormat } = process.env;
const FAKE_ADDRESS = "0000:22:00.0";

const targets: readonly { readonly title: string; readonly release: SpdkRelease | undefined }[] =
  real === undefined
    ? SPDK_RELEASES.map((release) => ({ title: `the fake target of ${release}`, release }))
    : [{ title: `the real target at ${real}`, release: undefined }];

/** A bare connection: sends text and collects the answers. */
class Client {
  readonly socket: Socket;
  readonly #answers: unknown[] = [];
  readonly #stream = new JsonStream();
  #more = Promise.withResolvers<void>();
  readonly closed: Promise<void>;

  constructor(path: string) {
    this.socket = createConnection(path).setEncoding("utf8");
    this.socket.on("error", () => {});
    this.socket.on("data", (text: string) => {
      this.#answers.push(...this.#stream.push(text));
      this.#more.resolve();
      this.#more = Promise.withResolvers();
    });
    this.closed = new Promise((resolve) => this.socket.once("close", () => resolve()));
  }

  /** The next answers, `count` of them. */
  async answers(count: number): Promise<readonly unknown[]> {
    while (this.#answers.length < count) await this.#more.promise;
    return this.#answers.splice(0, count);
  }

  get pending(): number {
    return this.#answers.length;
  }

  async call(method: string, params?: unknown): Promise<unknown> {
    this.socket.write(request(7, method, params));
    const [answer] = await this.answers(1);
    return answer;
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}

const request = (id: number, method: string, params?: unknown) =>
  JSON.stringify({ jsonrpc: "2.0", id, method, ...(params === undefined ? {} : { params }) });
const refused = (code: number, message?: string) => ({
  error: { code, message: message ?? (expect.any(String) as string) },
});

describe.each(targets)("the contract of SpdkBackend's target: $title", ({ release }) => {
  let directory = "";
  let path = real ?? "";
  let fake: FakeSpdkTarget | undefined;
  let name = "";
  const client = () => new Client(path);

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "daos-spdk-"));
    if (release !== undefined) {
      fake = new FakeSpdkTarget(
        [{ address: FAKE_ADDRESS, serial: "S", contents: Buffer.alloc(1024 * 1024, 0xa5), mdts: 4 }],
        { release },
      );
      path = join(directory, "spdk.sock");
      await fake.listen(path);
    }
    using asked = client();
    const { result } = (await asked.call("bdev_nvme_get_controllers")) as { result: unknown };
    const [first] = readSpdkControllers(result, []);
    if (first === undefined)
      throw new Error("the target drives no controller of the PCI bus: attach one first");
    name = first.name;
  });
  afterAll(async () => {
    await fake?.close();
    await rm(directory, { recursive: true });
  });

  it("spdk_get_version answers with numbers, and refuses parameters", async () => {
    using asked = client();
    expect(await asked.call("spdk_get_version")).toMatchObject({
      result: { version: expect.stringContaining("SPDK"), fields: { major: expect.any(Number) as number } },
    });
    expect(await asked.call("spdk_get_version", {})).toMatchObject(refused(-32602));
  });

  it("two requests in one write are both answered, and so is one in halves", async () => {
    using asked = client();
    const text = request(1, "spdk_get_version");
    asked.socket.write(text + request(2, "spdk_get_version"));
    expect(await asked.answers(2)).toMatchObject([{ id: 1 }, { id: 2 }]);
    asked.socket.write(text.slice(0, 25));
    expect(asked.pending).toBe(0);
    asked.socket.write(text.slice(25));
    expect(await asked.answers(1)).toMatchObject([{ id: 1, result: expect.anything() as unknown }]);
  });

  it("invalid JSON ends the connection without an answer", async () => {
    using asked = client();
    asked.socket.write('{"jsonrpc" nonsense}');
    await asked.closed;
    expect(asked.pending).toBe(0);
  });

  it("an unknown method is -32601, and the connection stays open", async () => {
    using asked = client();
    expect(await asked.call("no_such_method")).toMatchObject(refused(-32601, "Method not found"));
    expect(await asked.call("spdk_get_version")).toMatchObject({ id: 7 });
  });

  it("unknown controllers and block devices have the error codes that the backend distinguishes", async () => {
    using asked = client();
    const raw = {
      name: "no_such",
      cmd_type: "admin",
      data_direction: "c2h",
      cmdbuf: paddedBase64Url(identifyControllerCommand()),
      data_len: 4096,
    };
    expect(await asked.call("bdev_nvme_send_cmd", raw)).toMatchObject(refused(-32602));
    expect(await asked.call("bdev_nvme_get_controller_health_info", { name: "no_such" })).toMatchObject(
      refused(-32603),
    );
    expect(await asked.call("bdev_get_bdevs", { name: "no_such" })).toMatchObject(refused(-19));
    expect(await asked.call("bdev_nvme_detach_controller", { name: "no_such" })).toMatchObject(refused(-19));
    expect(await asked.call("bdev_nvme_get_controllers", [])).toMatchObject(refused(-32603));
    expect(await asked.call("bdev_get_bdevs", { unknown: 1 })).toMatchObject(refused(-32603));
  });

  it("bdev_nvme_send_cmd takes padded base64 only", async () => {
    using asked = client();
    const command = identifyControllerCommand();
    const raw = { name, cmd_type: "admin", data_direction: "c2h", data_len: 4096 };
    const bare = await asked.call("bdev_nvme_send_cmd", { ...raw, cmdbuf: command.toString("base64url") });
    expect(bare).toMatchObject(refused(-32602));
    const padded = await asked.call("bdev_nvme_send_cmd", { ...raw, cmdbuf: paddedBase64Url(command) });
    expect(padded).toMatchObject({ result: { cpl: expect.stringMatching(/==$/) as string } });
  });

  it("the methods that list exports take no parameters, or do not exist", async () => {
    using asked = client();
    for (const method of [
      "nbd_get_disks",
      "ublk_get_disks",
      "iscsi_get_target_nodes",
      "vhost_get_controllers",
      "bdev_lvol_get_lvstores",
    ]) {
      const { result, error } = (await asked.call(method)) as { result?: unknown; error?: { code: number } };
      expect(Array.isArray(result) || error?.code === -32601).toBe(true);
    }
  });

  it("the 65th connection waits until another one ends", async () => {
    const clients = Array.from({ length: 64 }, client);
    try {
      for (const [at, each] of clients.entries()) each.socket.write(request(at, "spdk_get_version"));
      // A real target may have other clients, so the connection that waits is searched among ours.
      using late = client();
      late.socket.write(request(99, "spdk_get_version"));
      await Promise.all(clients.slice(0, 48).map((each) => each.answers(1)));
      expect(late.pending).toBe(0);
      for (const each of clients) each.socket.destroy();
      expect(await late.answers(1)).toMatchObject([{ id: 99 }]);
    } finally {
      for (const each of clients) each.socket.destroy();
    }
  });

  it("SpdkBackend.scan() reads identity, namespaces and health", async () => {
    const controllers = await new SpdkBackend({ socket: path, trustedUids: await ownerOf(path) }).scan();
    expect(controllers.length).toBeGreaterThan(0);
    for (const controller of controllers) {
      expect(controller).toMatchObject({
        model: expect.stringMatching(/./) as string,
        serial: expect.stringMatching(/./) as string,
        firmware: expect.stringMatching(/./) as string,
        source: "spdk",
      });
      expect(controller.health?.temperature).toBeLessThan(500);
      for (const { id, size } of controller.namespaces) {
        expect(id).toBeGreaterThan(0);
        expect(size).toBeGreaterThan(0n);
      }
    }
  });

  const address = release === undefined ? toFormat : FAKE_ADDRESS;
  if (address !== undefined) {
    it("SpdkBackend.wipe() empties a controller and detaches it from the target", async () => {
      const backend = new SpdkBackend({ socket: path, trustedUids: await ownerOf(path) });
      const fractions: number[] = [];
      await backend.wipe(address, { onProgress: ({ fraction }) => fractions.push(fraction) });
      expect(fractions).toEqual(fractions.toSorted((a, b) => a - b));
      expect(fractions.at(-1)).toBe(1);
      expect((await backend.scan()).map(({ pciAddress }) => pciAddress)).not.toContain(address);
      // The target can attach the controller again, so the detach left it usable.
      await backend.attach(address);
      expect((await backend.scan()).map(({ pciAddress }) => pciAddress)).toContain(address);
    });
  }
});

async function ownerOf(path: string): Promise<readonly number[]> {
  return [(await lstat(path)).uid];
}
