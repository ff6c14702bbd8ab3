import { PacketListener } from "../packet-listener.ts";
import { PacketSocket } from "../packet-socket.ts";

// Run with `ulimit -n`: connects to itself until no descriptors are left, for itself or for its listener. Then it
// closes some, and prints what happened.
const path = process.argv[2] ?? "";
const errors: string[] = [];
await PacketListener.listen(path, {
  onSocket: (socket) => socket.open({ onPacket: (packet) => socket.send(packet, "echo"), onClose: () => {} }),
  onError: (error) => errors.push(String(error)),
});

const sockets: PacketSocket[] = [];
let failure: unknown;
while (failure === undefined) {
  await PacketSocket.connect(path).then(
    (socket) => sockets.push(socket),
    (error: unknown) => {
      failure = error;
    },
  );
}
while (errors.length === 0) await new Promise(setImmediate);
for (const socket of sockets.splice(5)) socket.close();
const echoes = sockets.map(
  (socket) =>
    new Promise<void>((resolve, reject) => {
      socket.open({ onPacket: () => resolve(), onClose: reject });
      socket.send(Uint8Array.of(1), "ping");
    }),
);
await Promise.all(echoes);
process.stdout.write(JSON.stringify({ failure: String(failure), errors, echoes: echoes.length }));
process.exit(0);
