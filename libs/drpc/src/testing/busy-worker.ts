import { parentPort, workerData } from "node:worker_threads";
import { PacketListener } from "../packet-listener.ts";
import { PacketSocket } from "../packet-socket.ts";

// A thread that ends with a listening socket, a connection to itself, and queued packets.
const { path } = workerData as { readonly path: string };
await PacketListener.listen(path, { onSocket: () => {}, onError: () => {} });
const socket = await PacketSocket.connect(path);
socket.open({ onPacket: () => {}, onClose: () => {} });
while (socket.queued < 10) socket.send(new Uint8Array(16_000), "flood");
parentPort?.postMessage("connected");
parentPort?.once("message", () => process.exit(0));
