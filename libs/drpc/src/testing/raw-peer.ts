import { PacketSocket } from "../packet-socket.ts";

/** A peer that sends and receives packets as they are. */
export class RawPeer {
  readonly socket: PacketSocket;
  readonly #packets: Uint8Array[] = [];
  #ended = false;
  #wake = () => {};

  private constructor(socket: PacketSocket) {
    this.socket = socket;
    socket.open({
      onPacket: (packet) => {
        this.#packets.push(packet);
        this.#wake();
      },
      onClose: () => {
        this.#ended = true;
        this.#wake();
      },
    });
  }

  static async connect(path: string): Promise<RawPeer> {
    return new RawPeer(await PacketSocket.connect(path));
  }

  send(packet: Uint8Array): void {
    this.socket.send(packet, "raw");
  }

  /** The next packet; undefined when the connection has ended. */
  async next(): Promise<Uint8Array | undefined> {
    while (this.#packets.length === 0 && !this.#ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#packets.shift();
  }

  close(): void {
    this.socket.close();
  }
}
