import type { SysTree } from "@daos/sys";
import type { NodeHugepages } from "./bdev-types.ts";
import type { DriverJournal } from "./driver-journal.ts";
import { faultHugepagesShort } from "./faults.ts";

const NODES = "/sys/devices/system/node";
const PAGE_KB = 2048;
const SIZE = "hugepages/hugepages-2048kB";

/** Divides pages over nodes. The first nodes get the remainder. */
export function shareHugepages(total: number, nodes: readonly string[]): readonly NodeHugepages[] {
  const each = Math.floor(total / nodes.length);
  const rest = total % nodes.length;
  return nodes.map((node, index) => ({ node, pages: each + (index < rest ? 1 : 0) }));
}

/** The hugepages of 2 MiB of this machine. */
export class Hugepages {
  readonly #sys: SysTree;
  readonly #journal: Pick<DriverJournal, "readHugepages" | "writeHugepages">;

  /** @param journal keeps how many pages {@link reserve} has added, for a {@link free} of another process */
  constructor(sys: SysTree, journal: Pick<DriverJournal, "readHugepages" | "writeHugepages">) {
    this.#sys = sys;
    this.#journal = journal;
  }

  /**
   * Reserves `total` pages in all, the same number on every node with memory and processors. Pages in use are never taken
   * away: that would make them surplus pages, which the kernel adds to the next request of another node.
   *
   * @param options.shrink false to leave a node with more than its share as it is; it loses them by default
   * @throws Fault bdevHugepagesShort, bdevRecordFailed; then the machine has as many as before
   */
  async reserve(
    total: number,
    options: { readonly shrink?: boolean } = {},
  ): Promise<readonly NodeHugepages[]> {
    const before = await this.#pools();
    if (before.length === 0) throw faultHugepagesShort(total, []);
    const shares = shareHugepages(
      total,
      before.map(({ node }) => node),
    );
    const wanted = before.map(({ node, pages, kept }, index) => ({
      node,
      pages: Math.max(shares[index]?.pages ?? 0, options.shrink === false ? pages : kept),
    }));
    const room = await this.#room(before);
    // An attempt without enough memory would make the kernel reclaim memory for minutes.
    if (short(room, wanted)) throw faultHugepagesShort(total, room, "has room for");
    let got = await this.#set(wanted);
    if (short(got, wanted)) {
      // Memory may be free but fragmented.
      await this.#sys.write("/proc/sys/vm/compact_memory", "1").catch(() => {});
      got = await this.#set(wanted);
    }
    if (short(got, wanted)) {
      await this.#set(before);
      throw faultHugepagesShort(total, got);
    }
    const added = await this.#added();
    const balance = got.map(({ node, pages }) => {
      const had = before.find((pool) => pool.node === node)?.pages ?? 0;
      return { node, pages: Math.max(0, (added.get(node) ?? 0) + pages - had) };
    });
    try {
      await this.#journal.writeHugepages(balance);
    } catch (error) {
      // Pages that are not recorded would never be freed.
      await this.#set(before);
      throw error;
    }
    return got;
  }

  /** Frees the unused pages that {@link reserve} has added. Those of other programs, and of the boot, stay. */
  async free(): Promise<readonly NodeHugepages[]> {
    const added = await this.#added();
    const left = await this.#set(
      (await this.#pools()).map(({ node, pages, kept }) => ({
        node,
        pages: Math.max(kept, pages - (added.get(node) ?? 0)),
      })),
    );
    await this.#journal.writeHugepages([]);
    return left;
  }

  async #added(): Promise<ReadonlyMap<string, number>> {
    return new Map((await this.#journal.readHugepages()).map(({ node, pages }) => [node, pages]));
  }

  /** The maximum for each node: its hugepages plus free memory and caches. */
  async #room(now: readonly NodeHugepages[]): Promise<readonly NodeHugepages[]> {
    return Promise.all(
      now.map(async ({ node, pages }) => {
        const text = await this.#sys.read(`${NODES}/${node}/meminfo`);
        if (text === undefined) return { node, pages: Number.MAX_SAFE_INTEGER };
        // FilePages counts a tmpfs and locked files too, which cannot be reclaimed.
        const unlocked = kB(text, "Active(file)") + kB(text, "Inactive(file)");
        const files = Math.max(0, kB(text, "FilePages") - kB(text, "Shmem"));
        const cache = (unlocked > 0 ? Math.min(files, unlocked) : files) + kB(text, "SReclaimable");
        return { node, pages: pages + Math.floor((kB(text, "MemFree") + cache) / PAGE_KB) };
      }),
    );
  }

  async #set(wanted: readonly NodeHugepages[]): Promise<readonly NodeHugepages[]> {
    const directories = await this.#directories();
    const write = async (node: string, pages: number) => {
      const directory = directories.get(node);
      if (directory !== undefined) await this.#sys.write(`${directory}/nr_hugepages`, `${pages}`);
    };
    // Existing surplus pages become ordinary pages first. Otherwise the kernel would add them to the requests below.
    for (const { node, pages, surplus } of await this.#pools()) if (surplus > 0) await write(node, pages);
    const now = await this.#pools();
    for (const { node, pages } of wanted) {
      if (now.find((pool) => pool.node === node)?.pages !== pages) await write(node, pages);
    }
    return (await this.#pools()).map(({ node, pages }) => ({ node, pages }));
  }

  async #pools(): Promise<readonly Pool[]> {
    const number = async (path: string) => {
      const text = await this.#sys.read(path);
      return text === undefined ? undefined : Number(text);
    };
    // Reserved for mappings, but not yet taken from any node.
    const promised = (await number(`/sys/kernel/mm/${SIZE}/resv_hugepages`)) ?? 0;
    return Promise.all(
      [...(await this.#directories())].map(async ([node, directory]) => {
        const pages = (await number(`${directory}/nr_hugepages`)) ?? 0;
        const free = (await number(`${directory}/free_hugepages`)) ?? pages;
        const surplus = (await number(`${directory}/surplus_hugepages`)) ?? 0;
        return { node, pages, surplus, kept: pages - free + Math.min(free, promised) };
      }),
    );
  }

  /** The directory of each node with memory and processors. */
  async #directories(): Promise<ReadonlyMap<string, string>> {
    const directories = new Map<string, string>();
    for (const node of (await this.#sys.list(NODES)).filter((name) => /^node\d+$/.test(name))) {
      const path = `${NODES}/${node}/${SIZE}`;
      if ((await this.#sys.read(`${path}/nr_hugepages`)) === undefined) continue;
      const memory = await this.#sys.read(`${NODES}/${node}/meminfo`);
      const hasMemory = memory === undefined || !/MemTotal:\s+0 kB/.test(memory);
      // Memory without processors is persistent or far memory. No engine runs on it.
      const hasProcessors = (await this.#sys.read(`${NODES}/${node}/cpulist`)) !== "";
      if (hasMemory && hasProcessors) directories.set(node, path);
    }
    if (
      directories.size === 0 &&
      (await this.#sys.read(`/sys/kernel/mm/${SIZE}/nr_hugepages`)) !== undefined
    ) {
      directories.set("memory", `/sys/kernel/mm/${SIZE}`);
    }
    return directories;
  }
}

/** The pages of a node as the kernel counts them. */
interface Pool extends NodeHugepages {
  /** Beyond the number that was asked for. */
  readonly surplus: number;
  /** In use or reserved. */
  readonly kept: number;
}

function short(got: readonly NodeHugepages[], wanted: readonly NodeHugepages[]): boolean {
  return wanted.some(({ node, pages }) => (got.find((entry) => entry.node === node)?.pages ?? 0) < pages);
}

/** A line of a node's meminfo, `Node 0 Active(file):      93112 kB`; 0 without it. */
function kB(meminfo: string, name: string): number {
  const line = meminfo.split("\n").find((each) => each.includes(` ${name}:`));
  return Number(/(\d+) kB$/.exec(line?.trimEnd() ?? "")?.[1] ?? 0);
}
