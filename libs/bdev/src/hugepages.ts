import type { SysTree } from "@daos/sys";
import { faultHugepagesShort } from "./faults.ts";

const NODES = "/sys/devices/system/node";
const PAGE_KB = 2048;
const SIZE = "hugepages/hugepages-2048kB/nr_hugepages";

/** Hugepages of 2 MiB that a NUMA node has. */
export interface NodeHugepages {
  /** `node0`; `memory` on a machine without nodes. */
  readonly node: string;
  readonly pages: number;
}

/** Shares pages out over nodes, the first ones getting the rest. */
export function shareHugepages(total: number, nodes: readonly string[]): readonly NodeHugepages[] {
  const each = Math.floor(total / nodes.length);
  const rest = total % nodes.length;
  return nodes.map((node, index) => ({ node, pages: each + (index < rest ? 1 : 0) }));
}

/** The hugepages of 2 MiB of this machine. */
export class Hugepages {
  readonly #sys: SysTree;

  constructor(sys: SysTree) {
    this.#sys = sys;
  }

  async list(): Promise<readonly NodeHugepages[]> {
    const files = await this.#files();
    return Promise.all(
      [...files].map(async ([node, path]) => ({ node, pages: Number((await this.#sys.read(path)) ?? 0) })),
    );
  }

  /**
   * Reserves `total` pages in all, the same number on every node with memory.
   *
   * @throws Fault bdevHugepagesShort; then the machine has as many as before
   */
  async reserve(total: number): Promise<readonly NodeHugepages[]> {
    const before = await this.list();
    if (before.length === 0) throw faultHugepagesShort(total, []);
    const wanted = shareHugepages(
      total,
      before.map(({ node }) => node),
    );
    const room = await this.#room(before);
    // To try all the same would make the kernel push out everything else first, for minutes.
    if (short(room, wanted)) throw faultHugepagesShort(total, room, "has room for");
    let got = await this.#set(wanted);
    if (short(got, wanted)) {
      // Memory may be free, but in pieces.
      await this.#sys.write("/proc/sys/vm/compact_memory", "1").catch(() => {});
      got = await this.#set(wanted);
    }
    if (short(got, wanted)) {
      await this.#set(before);
      throw faultHugepagesShort(total, got);
    }
    return got;
  }

  /** Gives back all that nobody uses. */
  async free(): Promise<readonly NodeHugepages[]> {
    return this.#set((await this.list()).map(({ node }) => ({ node, pages: 0 })));
  }

  /** What each node could have at most: its hugepages, and memory that is free or a cache. */
  async #room(now: readonly NodeHugepages[]): Promise<readonly NodeHugepages[]> {
    return Promise.all(
      now.map(async ({ node, pages }) => {
        const text = await this.#sys.read(`${NODES}/${node}/meminfo`);
        if (text === undefined) return { node, pages: Number.MAX_SAFE_INTEGER };
        const kB = ["MemFree", "FilePages", "SReclaimable"].map((name) =>
          Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(text)?.[1] ?? 0),
        );
        return { node, pages: pages + Math.floor(kB.reduce((a, b) => a + b, 0) / PAGE_KB) };
      }),
    );
  }

  async #set(wanted: readonly NodeHugepages[]): Promise<readonly NodeHugepages[]> {
    const files = await this.#files();
    for (const { node, pages } of wanted) {
      const path = files.get(node);
      if (path !== undefined) await this.#sys.write(path, `${pages}`);
    }
    return this.list();
  }

  /** The file of each node with memory. */
  async #files(): Promise<ReadonlyMap<string, string>> {
    const files = new Map<string, string>();
    for (const node of (await this.#sys.list(NODES)).filter((name) => /^node\d+$/.test(name))) {
      const path = `${NODES}/${node}/${SIZE}`;
      if ((await this.#sys.read(path)) === undefined) continue;
      const memory = await this.#sys.read(`${NODES}/${node}/meminfo`);
      if (memory === undefined || !/MemTotal:\s+0 kB/.test(memory)) files.set(node, path);
    }
    if (files.size === 0 && (await this.#sys.read(`/sys/kernel/mm/${SIZE}`)) !== undefined) {
      files.set("memory", `/sys/kernel/mm/${SIZE}`);
    }
    return files;
  }
}

function short(got: readonly NodeHugepages[], wanted: readonly NodeHugepages[]): boolean {
  return wanted.some(({ node, pages }) => (got.find((entry) => entry.node === node)?.pages ?? 0) < pages);
}
