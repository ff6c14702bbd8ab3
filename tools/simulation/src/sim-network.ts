import { Fault, FaultCode, toFault } from "@daos/fault";
import { formatHostAddress, type HostAddress } from "@daos/hostlist";
import { isTimeout } from "@daos/sys";
import type { Random } from "@daos/sys/testing";
import type { SimProcess } from "./sim-process.ts";

/** A caller: a process on a machine with an address. */
export interface Caller {
  readonly process: SimProcess;
  readonly host: string;
}

export interface CallOptions {
  readonly signal: AbortSignal;
  /** The attempted action, for faults. */
  readonly attempted: string;
}

/** The effect of a call on the server. */
export type Work<S, T> = (server: S, peer: string, wait: { readonly signal: AbortSignal }) => Promise<T>;

/** The network's view of a server. */
interface NetworkServer {
  readonly listening: boolean;
  readonly process: Pick<SimProcess, "after" | "alive" | "onKill">;
}

/** The network's view of a machine. */
interface NetworkHost<S> {
  readonly address: HostAddress;
  readonly on: boolean;
  readonly unresponsive: boolean;
  readonly server: S | undefined;
}

/** The connection timeout of the real client, ms. */
const CONNECT_MS = 5_000;

/**
 * Calls between hosts. They take time, and may be lost before or after they take effect. A host may be off, unreachable,
 * unresponsive (it accepts the connection, but nothing answers) or without a server.
 */
export class SimNetwork<S extends NetworkServer, H extends NetworkHost<S>> {
  readonly #random: Random;
  readonly #hosts = new Map<string, H>();
  readonly #lastHosts = new Map<string, H>();
  /** The partition of each host; all others are in partition 0. */
  readonly parts = new Map<string, number>();
  /** The probability that a call is lost. */
  lossy = 0;
  /** The longest delay of a message, ms. */
  slowest = 3;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Gives a host an address, in place of its former one. */
  attach(host: H): void {
    this.#hosts.set(host.address.host, host);
    this.#lastHosts.set(host.address.host, host);
  }

  detach(host: H): void {
    if (this.#hosts.get(host.address.host) === host) this.#hosts.delete(host.address.host);
  }

  at(address: string): H | undefined {
    return this.#hosts.get(address);
  }

  /** The host that has an address, or last had it. */
  lastAt(address: string): H | undefined {
    return this.#lastHosts.get(address);
  }

  reaches(from: string, to: string): boolean {
    return (this.parts.get(from) ?? 0) === (this.parts.get(to) ?? 0);
  }

  call<T>(from: Caller, to: HostAddress, options: CallOptions, work: Work<S, T>): Promise<T> {
    const { process } = from;
    const { signal, attempted } = options;
    const name = formatHostAddress(to);
    const fault = (code: number, reason: string) =>
      new Fault({
        domain: "client",
        code,
        description: `${attempted} on ${name}`,
        reason,
        resolution: "check the host",
      });
    return new Promise<T>((resolve, reject) => {
      const remote = new AbortController();
      let open = true;
      const close = () => {
        open = false;
        signal.removeEventListener("abort", onAbort);
      };
      const onAbort = () => {
        close();
        const timedOut = isTimeout(signal.reason);
        reject(
          timedOut
            ? fault(FaultCode.timedOut, "no answer within the deadline")
            : fault(FaultCode.cancelled, "cancelled"),
        );
        process.time.after(this.#latency(), () =>
          remote.abort(new DOMException("the caller has gone", "AbortError")),
        );
      };
      const end = (ms: number, settle: () => void) =>
        process.after(ms, () => {
          if (!open) return;
          close();
          settle();
        });
      if (signal.aborted) {
        onAbort();
        return;
      }
      signal.addEventListener("abort", onAbort, { once: true });
      process.time.after(this.#latency(), () => {
        const host = this.#hosts.get(to.host);
        if (host === undefined || !host.on || !this.reaches(from.host, to.host)) {
          end(CONNECT_MS, () => reject(fault(FaultCode.hostUnreachable, "no answer within 5 s")));
          return;
        }
        if (host.unresponsive) return;
        const { server } = host;
        if (server === undefined || !server.listening) {
          end(this.#latency(), () => reject(fault(FaultCode.connectionRefused, "connection refused")));
          return;
        }
        const lost = () =>
          end(this.#latency(), () => reject(fault(FaultCode.connectionLost, "the connection was closed")));
        if (this.#random.chance(this.lossy)) {
          lost();
          return;
        }
        // When a server dies, the kernel closes its connections. When a host dies, they stay open.
        const unlisten = server.process.onKill(() => {
          if (host.on) lost();
        });
        const answer = (settle: () => void) => {
          unlisten();
          if (!server.process.alive || !host.on || !this.reaches(from.host, to.host)) return;
          if (this.#random.chance(this.lossy)) lost();
          else end(this.#latency(), settle);
        };
        server.process.after(0, () => {
          work(server, from.host, remote).then(
            (result) => answer(() => resolve(result)),
            (error: unknown) => answer(() => reject(overTheWire(error))),
          );
        });
      });
    });
  }

  #latency(): number {
    return 1 + this.#random.whole(0, this.slowest);
  }
}

/** The fault after it was sent by `toConnectError` and restored by `fromConnectError`. */
function overTheWire(error: unknown): Fault {
  if (error instanceof DOMException) {
    return new Fault({
      domain: "general",
      code: error.name === "TimeoutError" ? FaultCode.timedOut : FaultCode.cancelled,
      description: error.message,
      resolution: "repeat the request",
    });
  }
  return toFault(error);
}
