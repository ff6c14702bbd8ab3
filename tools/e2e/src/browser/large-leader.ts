import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { deadline } from "@daos/sys";
import { WORKSPACE } from "../program.ts";
import { EVENTUAL_TIMEOUT_MS } from "../test-system.ts";

const BENCH = join(WORKSPACE, "tools/simulation/dist/bench.js");

/**
 * The leader of the simulation's benchmark with many members: the real gRPC server, membership and SQLite file in a process of
 * its own. Another process has the hosts, each on a port of its own. Dispose of it.
 */
export class LargeLeader implements AsyncDisposable {
  readonly address: string;
  /** The control addresses of the hosts: rank `n` is on number `n % hosts.length`. */
  readonly hosts: readonly string[];
  readonly #children: readonly ChildProcess[];

  private constructor(address: string, hosts: readonly string[], children: readonly ChildProcess[]) {
    this.address = address;
    this.hosts = hosts;
    this.#children = children;
  }

  static async start({ hosts, members }: { readonly hosts: number; readonly members: number }) {
    const children: ChildProcess[] = [];
    const start = async <T>(...args: readonly string[]): Promise<T> => {
      // It is compiled, so it runs without the tests' export conditions.
      const child = fork(BENCH, args, { execArgv: [] });
      children.push(child);
      using limit = deadline(EVENTUAL_TIMEOUT_MS, `${args[0]} of the benchmark`);
      const [ready] = (await once(child, "message", { signal: limit.signal })) as [T];
      return ready;
    };
    const { ports } = await start<{ readonly ports: readonly number[] }>("hosts", `${hosts}`, "0");
    const { port } = await start<{ readonly port: number }>("leader", `${members}`, ...ports.map(String));
    return new LargeLeader(
      `127.0.0.1:${port}`,
      ports.map((one) => `127.0.0.1:${one}`),
      children,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) {
      const ended = once(child, "exit");
      child.kill();
      await ended;
    }
  }
}
