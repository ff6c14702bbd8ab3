import { fromBinary } from "@bufbuild/protobuf";
import { FaultCode } from "@daos/fault";
import { drpc } from "@daos/proto";
import { type DrpcExchange, engineContract, envelopeContract } from "@daos/proto/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DrpcClient } from "./drpc-client.ts";
import { type Body, type BodyInit, type DrpcMethod, decodeBody } from "./drpc-method.ts";
import { drpcMethods } from "./drpc-methods.ts";
import { handle } from "./drpc-module.ts";
import { PacketListener } from "./packet-listener.ts";
import { SocketFixture } from "./testing/socket-fixture.ts";

const fixture = new SocketFixture();
beforeEach(() => fixture.open());
afterEach(() => fixture.close());

const hex = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString("hex");
const methods: Readonly<Record<string, DrpcMethod>> = drpcMethods;
const calls = engineContract().flatMap(({ exchanges }) => exchanges.filter((one) => "in" in one));

/** An engine that answers each packet with `out`. @returns what it has received */
async function answerWith(out: Uint8Array): Promise<readonly Uint8Array[]> {
  const received: Uint8Array[] = [];
  const listener = await PacketListener.listen(fixture.path, {
    onSocket: (socket) =>
      socket.open({
        onPacket: (packet) => {
          received.push(Uint8Array.from(packet));
          socket.send(out, "answer");
        },
        onClose: () => {},
      }),
    onError: () => {},
  });
  fixture.closeLater(() => listener.close());
  return received;
}

async function callAs({ method: name, in: packet }: DrpcExchange): Promise<unknown> {
  const method = methods[name];
  if (method === undefined) throw new Error(`no method ${name}`);
  const { sequence, body } = fromBinary(drpc.CallSchema, packet);
  const client = await DrpcClient.connect(fixture.path, { firstSequence: sequence });
  fixture.closeLater(() => client.close());
  return client.call(method, decodeBody(method.request, body) as BodyInit<Body>);
}

describe("DrpcClient.call()", () => {
  it.each(calls)("sends and reads the bytes of: $name", async (one) => {
    const received = await answerWith(one.out);
    const answer = await callAs(one);
    expect(received.map(hex)).toEqual([hex(one.in)]);
    const { body } = fromBinary(drpc.ResponseSchema, one.out);
    expect(answer).toEqual(decodeBody(methods[one.method]?.response, body));
  });

  it.each(envelopeContract().filter(({ out }) => fromBinary(drpc.ResponseSchema, out).status !== 0))(
    "fails with the status of: $name",
    async ({ out }) => {
      const { sequence, status } = fromBinary(drpc.ResponseSchema, out);
      await answerWith(out);
      const client = await DrpcClient.connect(fixture.path, {
        firstSequence: sequence === -1n ? 1n : sequence,
      });
      fixture.closeLater(() => client.close());
      await expect(client.call(drpcMethods.setRank, { rank: 1 })).rejects.toMatchObject({
        code: FaultCode.drpcCallFailed,
        message: expect.stringContaining(drpc.Status[status] ?? "?"),
      });
    },
  );
});

describe("DrpcServer", () => {
  it.each(envelopeContract())("answers $name", async (one) => {
    await fixture.serve([handle(drpcMethods.setRank, () => ({ status: 0 }))]);
    const peer = await fixture.rawPeer();
    peer.send(one.in);
    expect(hex(await peer.next())).toBe(hex(one.out));
  });
});
