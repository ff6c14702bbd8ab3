import type { Socket } from "node:net";

/** Calls back with the first byte that arrives, which stays in the socket; a socket that sends none is destroyed. */
export function firstByte(socket: Socket, timeoutMs: number, then: (byte: number) => void): void {
  const timer = setTimeout(() => socket.destroy(), timeoutMs);
  const onReadable = () => {
    const chunk: Buffer | null = socket.read();
    if (chunk === null) return;
    clearTimeout(timer);
    socket.off("readable", onReadable);
    socket.unshift(chunk);
    then(chunk[0] ?? 0);
  };
  socket.on("readable", onReadable);
  socket.once("close", () => clearTimeout(timer));
}
