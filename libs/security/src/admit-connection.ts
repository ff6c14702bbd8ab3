import type { Socket } from "node:net";
import type { Fault } from "@daos/fault";
import type { ConnectionLimits } from "./connection-limits.ts";
import { faultConnectionRate } from "./faults.ts";
import { firstByte } from "./first-byte.ts";
import { HandshakePlaces } from "./handshake-places.ts";
import { TokenBuckets } from "./token-buckets.ts";

export interface AdmitOptions {
  readonly limits: ConnectionLimits;
  readonly warn: (key: string, fault: Fault) => void;
  /** The connection has sent its first byte, which is still in the socket, and its turn has come. */
  readonly onFirstByte: (byte: number, socket: Socket, address: string) => void;
}

/**
 * Holds a connection until it sends its first byte. A connection without data takes one of few places, so it costs
 * other clients nothing. Only a connection that sends data counts for the rate of its address, because only that costs
 * a handshake.
 */
export function connectionAdmission({ limits, warn, onFirstByte }: AdmitOptions): (socket: Socket) => void {
  const { handshakeMs, connectionBurst, connectionsPerSecond } = limits;
  const unidentified = new HandshakePlaces(limits.maxHandshakes, limits.maxHandshakesPerAddress);
  const rate = new TokenBuckets(connectionBurst, connectionsPerSecond);
  return (socket) => {
    const address = addressOf(socket);
    socket.on("error", () => {});
    socket.setKeepAlive(true, 60_000);
    socket.setNoDelay(true);
    unidentified.take(socket, address);
    firstByte(socket, handshakeMs, (byte) => {
      const admit = () => {
        unidentified.leave(socket);
        if (!socket.destroyed) onFirstByte(byte, socket, address);
      };
      const delay = rate.delay(address, handshakeMs);
      if (delay === undefined) {
        warn(`${address} rate`, faultConnectionRate(address, connectionsPerSecond));
        socket.destroy();
      } else if (delay > 0) setTimeout(admit, delay);
      else admit();
    });
  };
}

/** An IPv4 address also when it came through an IPv6 socket. */
export function addressOf(socket: Socket): string {
  return (socket.remoteAddress ?? "an unknown address").replace(/^::ffff:/, "");
}
