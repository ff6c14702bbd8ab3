import { Fault } from "@daos/fault";
import { drpc } from "@daos/proto";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DrpcClient } from "./drpc-client.ts";
import { drpcMethods } from "./drpc-methods.ts";
import { handle } from "./drpc-module.ts";
import { decodeCall, decodeResponse, encodeCall, encodeResponse } from "./envelope.ts";
import { MAX_PACKET } from "./faults.ts";
import { PacketListener } from "./packet-listener.ts";
import { SocketFixture } from "./testing/socket-fixture.ts";

/** The number of packets; `npm run fuzz` sets more. */
const RUNS = Number(process.env.DRPC_FUZZ_RUNS ?? 500);

const fixture = new SocketFixture();
beforeAll(() => fixture.open());
afterAll(() => fixture.close());

const body = fc.uint8Array({ maxLength: 64 });
const call = fc
  .tuple(
    fc.integer({ min: -2, max: 5 }),
    fc.integer({ min: 199, max: 220 }),
    fc.bigInt(-2n, 2n ** 63n - 1n),
    body,
  )
  .map((fields) => encodeCall(...fields));
const cut = fc.tuple(call, fc.nat()).map(([packet, at]) => packet.subarray(0, at % (packet.length + 1)));
const flipped = fc.tuple(call, fc.nat(), fc.integer({ min: 1, max: 255 })).map(([packet, at, bits]) => {
  const copy = Uint8Array.from(packet);
  if (copy.length > 0) copy[at % copy.length] = (copy[at % copy.length] ?? 0) ^ bits;
  return copy;
});
const huge = fc
  .integer({ min: MAX_PACKET - 2, max: MAX_PACKET })
  .map((length) => new Uint8Array(length).fill(0x22));
/** A DaosResp with status 7. */
const ANSWER = Uint8Array.of(0x08, 0x07);
const response = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc
    .tuple(fc.bigInt(-3n, 600n), fc.integer({ min: -1, max: 9 }), body)
    .map((fields) => encodeResponse(...fields)),
);
const packet = fc.oneof(
  { weight: 4, arbitrary: fc.uint8Array({ maxLength: 200 }) },
  { weight: 4, arbitrary: cut },
  { weight: 4, arbitrary: flipped },
  { weight: 4, arbitrary: call },
  { weight: 1, arbitrary: huge },
);

describe("a server that receives malformed packets", () => {
  it("DrpcServer answers each packet once, and serves other clients correctly", {
    timeout: 60_000 + RUNS * 5,
  }, async () => {
    await fixture.serve(
      [
        handle(drpcMethods.setRank, ({ rank }) => ({ status: 0 - (rank % 1000) })),
        handle(drpcMethods.poolCreate, ({ acl }) => ({ svcreps: [acl.length] })),
        handle(drpcMethods.listPools, () => ({})),
      ],
      { maxCallsPerSession: 8, peerLimits: { messagesPerSecond: 1e6, bytesPerSecond: 1e9 } },
    );
    const good = await fixture.connect();
    const peer = await fixture.rawPeer();
    let rank = 0;
    await fc.assert(
      fc.asyncProperty(packet, async (bytes) => {
        peer.send(bytes);
        const answer = await peer.next();
        expect(() => decodeResponse(answer ?? Uint8Array.of(255))).not.toThrow();
        rank = (rank + 1) % 1000;
        expect((await good.call(drpcMethods.setRank, { rank })).status).toBe(0 - rank);
      }),
      { numRuns: RUNS },
    );
  });
});

describe("a client that receives malformed packets", () => {
  it("DrpcClient ends each call with its answer or a fault", async () => {
    // The server's answers: malformed packets first, then the right one.
    let noise: readonly Uint8Array[] = [];
    const listener = await PacketListener.listen(`${fixture.path}.noisy`, {
      onSocket: (socket) =>
        socket.open({
          onPacket: (bytes) => {
            for (const one of noise) socket.send(one, "noise");
            socket.send(encodeResponse(decodeCall(bytes).sequence, drpc.Status.SUCCESS, ANSWER), "answer");
          },
          onClose: () => {},
        }),
      onError: () => {},
    });
    fixture.closeLater(() => listener.close());
    let client: DrpcClient | undefined;
    await fc.assert(
      fc.asyncProperty(fc.array(response, { maxLength: 3 }), async (packets) => {
        noise = packets;
        if (!client?.isOpen) client = await DrpcClient.connect(listener.path);
        const outcome = await client.call(drpcMethods.setRank, { rank: 1 }).catch((error: unknown) => error);
        if (outcome instanceof Fault) expect(outcome.domain).toBe("drpc");
        else expect(outcome).toMatchObject({ $typeName: "mgmt.DaosResp" });
      }),
      { numRuns: Math.min(RUNS, 5000) },
    );
    client?.close();
  });
});
