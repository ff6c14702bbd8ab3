import type { Socket } from "node:net";

/**
 * The places of connections that are not identified yet. There are few; when none is left, the oldest connection with a
 * place is ended. So connections that send no data, or never finish a handshake, only displace each other.
 */
export class HandshakePlaces {
  readonly #most: number;
  readonly #mostPerAddress: number;
  /** Oldest first. */
  readonly #all = new Map<Socket, string>();
  readonly #byAddress = new Map<string, Set<Socket>>();

  constructor(most: number, mostPerAddress: number) {
    this.#most = most;
    this.#mostPerAddress = mostPerAddress;
  }

  get taken(): number {
    return this.#all.size;
  }

  /**
   * Takes a place until {@link leave}, or until the socket has closed.
   *
   * @returns true when another connection was ended for it
   */
  take(socket: Socket, address: string): boolean {
    const here = this.#byAddress.get(address);
    const [oldestHere] = here !== undefined && here.size >= this.#mostPerAddress ? here : [];
    const [oldest] = this.#all.size >= this.#most ? this.#all.keys() : [];
    const evicted = oldestHere ?? oldest;
    if (evicted !== undefined) {
      this.leave(evicted);
      evicted.destroy();
    }
    this.#all.set(socket, address);
    const places = this.#byAddress.get(address) ?? new Set();
    this.#byAddress.set(address, places.add(socket));
    socket.once("close", () => this.leave(socket));
    return evicted !== undefined;
  }

  leave(socket: Socket): void {
    const address = this.#all.get(socket);
    if (address === undefined) return;
    this.#all.delete(socket);
    const places = this.#byAddress.get(address);
    places?.delete(socket);
    if (places?.size === 0) this.#byAddress.delete(address);
  }
}
