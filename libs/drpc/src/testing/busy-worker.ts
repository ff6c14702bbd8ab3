import { parentPort, workerData } from "node:worker_threads";
import { PacketListener } from "../packet-listener.ts";
import { PacketSocket } from "../packet-socket.ts";

// A thread that listens, is connected to itself, and has more to send than anybody reads, when it ends.
const { path } = workerData as { readonly path: string };
await PacketListener.listen(path, { onSocket: () => {}, onError: () => {} });
const socket = await PacketSocket.connect(path);
socket.open({ onPacket: () => {}, onClose: () => {} });
while (socket.queued < 10) socket.send(new Uint8Array(16_000), "flood");
parentPort?.postMessage("connected");
parentPort?.once("message", () => process.exit(0));
