/** Counts the connections of a group of clients, in all and from each address. */
export class ConnectionCounts {
  readonly #most: number;
  readonly #mostPerAddress: number;
  readonly #byAddress = new Map<string, number>();
  #all = 0;

  constructor(most: number, mostPerAddress: number) {
    this.#most = most;
    this.#mostPerAddress = mostPerAddress;
  }

  /** Counts one more connection until it is disposed of; undefined when there are too many. */
  add(address: string): Disposable | undefined {
    const here = this.#byAddress.get(address) ?? 0;
    if (this.#all >= this.#most || here >= this.#mostPerAddress) return undefined;
    this.#all++;
    this.#byAddress.set(address, here + 1);
    return { [Symbol.dispose]: () => this.#remove(address) };
  }

  #remove(address: string): void {
    this.#all--;
    const left = (this.#byAddress.get(address) ?? 1) - 1;
    if (left === 0) this.#byAddress.delete(address);
    else this.#byAddress.set(address, left);
  }
}
