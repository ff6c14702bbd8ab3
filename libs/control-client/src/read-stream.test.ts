import {
  type CallOptions,
  Code,
  ConnectError,
  createClient,
  createRouterTransport,
} from "@connectrpc/connect";
import { runStreamingCall } from "@connectrpc/connect/protocol";
import { ctl } from "@daos/proto";
import { describe, expect, it } from "vitest";
import { readStream } from "./read-stream.ts";

const OPTIONS: CallOptions = { timeoutMs: 600_000 };

/** A client of a server that sends so many messages, and then fails or ends. */
function scan(messages: number, failure?: ConnectError) {
  const transport = createRouterTransport(({ service }) => {
    service(ctl.MgmtCtl, {
      async *networkScanDevices() {
        for (let numanode = 0; numanode < messages; numanode++) yield { numanode };
        if (failure !== undefined) throw failure;
      },
    });
  });
  const client = createClient(ctl.MgmtCtl, transport);
  return readStream((options) => client.networkScanDevices({}, options), OPTIONS);
}

/** Connect's client alone: the server in the process would have timers of its own. */
async function* callAlone({ signal, timeoutMs }: CallOptions): AsyncGenerator<number> {
  async function* numbers() {
    for (let number = 0; number < 9; number++) yield number;
  }
  const method = ctl.MgmtCtl.method.networkScanDevices;
  const about = { stream: true, service: ctl.MgmtCtl, method, header: new Headers() } as const;
  const request = { ...about, requestMethod: "POST", url: "", message: numbers() };
  const { message } = await runStreamingCall({
    req: { ...request, contextValues: { get: () => undefined } } as never,
    ...(signal === undefined ? {} : { signal }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    next: () => Promise.resolve({ ...about, trailer: new Headers(), message: numbers() } as never),
  });
  yield* message as unknown as AsyncIterable<number>;
}

const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;

describe("readStream()", () => {
  it("yields every message", async () => {
    expect((await Array.fromAsync(scan(3))).map(({ numanode }) => numanode)).toEqual([0, 1, 2]);
  });

  it("throws what the server says", async () => {
    const failure = new ConnectError("gone", Code.Unavailable);
    await expect(Array.fromAsync(scan(1, failure))).rejects.toMatchObject({ code: Code.Unavailable });
  });

  it("leaves no timer when its reader leaves, by itself or by an error", async () => {
    const before = timers();
    for await (const number of readStream(callAlone, OPTIONS)) if (number === 1) break;
    const read = async () => {
      for await (const number of readStream(callAlone, OPTIONS)) throw new Error(`no room for ${number}`);
    };
    await expect(read()).rejects.toThrow("no room for 0");
    expect(timers()).toBe(before);
  });
});
