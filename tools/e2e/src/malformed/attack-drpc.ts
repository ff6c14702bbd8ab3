import { decodeResponse, drpcMethods, encodeCall, MAX_PACKET, PacketSocket } from "@daos/drpc/testing";
import { deadline } from "@daos/sys";
import type { Random } from "@daos/sys/testing";
import type { AttackProgress } from "./attack.ts";
import { randomMessage } from "./random-message.ts";

/** The packets on one connection, and how many of them are in flight: fewer than a server's limit per session. */
const PACKETS = 5_000;
const AT_ONCE = 48;
/** The time limit of an answer, which includes the wait for the peer's call budget. */
const ANSWER_MS = 300_000;

const METHODS = Object.values(drpcMethods);

/**
 * Sends malformed packets to a dRPC server until the count is reached or `progress.signal` aborts.
 *
 * @throws Error for a missing answer
 */
export async function attackDrpc(path: string, random: Random, progress: AttackProgress): Promise<void> {
  while (progress.wants()) {
    using limit = deadline(ANSWER_MS, "connection to the dRPC server");
    const socket = await PacketSocket.connect(path, limit);
    await attackOnce(socket, random, progress);
  }
}

/** One connection. Every third connection is closed before its last answers are read. */
async function attackOnce(socket: PacketSocket, random: Random, progress: AttackProgress): Promise<void> {
  const ended = Promise.withResolvers<void>();
  const isRude = random.oneIn(3);
  let sent = 0;
  let answered = 0;
  let failure: Error | undefined;
  const give = () => {
    while (sent < PACKETS && sent - answered < AT_ONCE && progress.wants()) {
      socket.send(malformedPacket(random).subarray(0, MAX_PACKET), "malformed packet");
      sent++;
      progress.add();
    }
    if (answered === sent || (isRude && sent === PACKETS)) socket.close();
    else watchdog.refresh();
  };
  const watchdog = setTimeout(() => {
    failure = new Error(`${sent} packets were sent, and after ${ANSWER_MS} ms only ${answered} are answered`);
    socket.close();
  }, ANSWER_MS);
  socket.open({
    onPacket: (packet) => {
      // Throws for an invalid answer.
      decodeResponse(packet);
      answered++;
      give();
    },
    onClose: (error) => {
      if (error !== undefined) failure ??= new Error("the server has ended the connection", { cause: error });
      ended.resolve();
    },
  });
  give();
  await ended.promise;
  clearTimeout(watchdog);
  if (failure !== undefined) throw failure;
  if (!isRude && answered < sent) throw new Error(`${sent - answered} packets have no answer`);
}

function malformedPacket(random: Random): Uint8Array {
  if (random.oneIn(8)) return random.bytes(random.below(200));
  if (random.oneIn(2000)) return Buffer.alloc(MAX_PACKET - random.below(3), 0x22);
  const { module, method, request } = random.pick(METHODS);
  const packet = Buffer.from(
    encodeCall(
      random.oneIn(10) ? random.below(7) - 2 : module,
      random.oneIn(10) ? random.below(400) : method,
      random.pick([0n, 1n, -1n, (1n << 63n) - 1n]),
      randomMessage(random, request),
    ),
  );
  if (random.oneIn(4)) return packet.subarray(0, random.below(packet.length + 1));
  if (random.oneIn(4) && packet.length > 0) packet[random.below(packet.length)] = random.below(256);
  return packet;
}
