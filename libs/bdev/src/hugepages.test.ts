import { FaultCode } from "@daos/fault";
import { FakeSysTree } from "@daos/sys/testing";
import { describe, expect, it } from "vitest";
import { inProcessJournal } from "./driver-journal.ts";
import { Hugepages } from "./hugepages.ts";

const NODES = "/sys/devices/system/node";
const POOL = "hugepages/hugepages-2048kB";

interface Node {
  nr: number;
  used: number;
  surplus: number;
  readonly most: number;
}

/** Pools as Linux 6.1 keeps them. @see mm/hugetlb.c set_max_huge_pages() */
class FakeKernel {
  readonly sys = new FakeSysTree();
  readonly nodes: readonly Node[];

  constructor(nodes: readonly Partial<Node>[]) {
    this.nodes = nodes.map((node) => ({ nr: 0, used: 0, surplus: 0, most: 100_000, ...node }));
    this.sys.files({ "/proc/sys/vm/compact_memory": "" });
    this.nodes.forEach((_, index) => {
      this.sys.onWrite(new RegExp(`/node${index}/${POOL}/nr_hugepages$`), (value) =>
        this.#set(index, Number(value)),
      );
    });
    this.#show();
  }

  get pages(): readonly number[] {
    return this.nodes.map(({ nr }) => nr);
  }

  #set(index: number, asked: number): void {
    const node = this.nodes[index];
    if (node === undefined) return;
    const sum = (of: (node: Node) => number) => this.nodes.reduce((total, each) => total + of(each), 0);
    const count = asked + sum(({ nr }) => nr) - node.nr;
    const persistent = () => sum(({ nr, surplus }) => nr - surplus);
    while (node.surplus > 0 && count > persistent()) node.surplus -= 1;
    while (count > persistent() && node.nr < node.most) node.nr += 1;
    const least = Math.max(
      count,
      sum(({ used }) => used),
    );
    while (least < persistent() && node.nr > node.used) node.nr -= 1;
    while (count < persistent() && node.surplus < node.nr) node.surplus += 1;
    this.#show();
  }

  #show(): void {
    this.nodes.forEach(({ nr, used, surplus }, index) => {
      const pool = `${NODES}/node${index}/${POOL}`;
      this.sys.files({
        [`${pool}/nr_hugepages`]: `${nr}`,
        [`${pool}/free_hugepages`]: `${nr - used}`,
        [`${pool}/surplus_hugepages`]: `${surplus}`,
        [`${NODES}/node${index}/cpulist`]: `${index}`,
      });
    });
  }
}

describe("Hugepages", () => {
  it("FakeMachine moves surplus pages to other nodes, as the real kernel does", async () => {
    const kernel = new FakeKernel([{}, { nr: 512, used: 512 }]);
    await kernel.sys.write(`${NODES}/node1/${POOL}/nr_hugepages`, "0");
    await kernel.sys.write(`${NODES}/node0/${POOL}/nr_hugepages`, "20");
    expect(kernel.pages).toEqual([532, 512]);
  });

  it("reserve() gives each node its exact share while a process uses pages of another node", async () => {
    const kernel = new FakeKernel([{}, { nr: 512, used: 512 }]);
    const pages = new Hugepages(kernel.sys, inProcessJournal());
    expect(await pages.reserve(560)).toEqual([
      { node: "node0", pages: 280 },
      { node: "node1", pages: 512 },
    ]);
    expect(kernel.nodes.map(({ surplus }) => surplus)).toEqual([0, 0]);
    expect(await pages.free()).toEqual([
      { node: "node0", pages: 0 },
      { node: "node1", pages: 512 },
    ]);
  });

  it("reserve() is exact when surplus pages exist already", async () => {
    const kernel = new FakeKernel([{}, { nr: 512, used: 512, surplus: 512 }]);
    await new Hugepages(kernel.sys, inProcessJournal()).reserve(560);
    expect(kernel.pages).toEqual([280, 512]);
  });

  it("reserve() restores the previous state when it fails", async () => {
    const kernel = new FakeKernel([
      { nr: 3000, most: 3100 },
      { nr: 3000, most: 3100 },
    ]);
    await expect(new Hugepages(kernel.sys, inProcessJournal()).reserve(8000)).rejects.toMatchObject({
      code: FaultCode.bdevHugepagesShort,
    });
    expect(kernel.pages).toEqual([3000, 3000]);
  });

  it("reserve() shrinks only when `shrink` is set", async () => {
    const kernel = new FakeKernel([{ nr: 3000 }, { nr: 3000 }]);
    const pages = new Hugepages(kernel.sys, inProcessJournal());
    await pages.reserve(1024, { shrink: false });
    expect(kernel.pages).toEqual([3000, 3000]);
    await pages.reserve(1024);
    expect(kernel.pages).toEqual([512, 512]);
  });

  it("reserve() skips a node without processors", async () => {
    const kernel = new FakeKernel([{}, {}, { nr: 7 }]);
    kernel.sys.files({ [`${NODES}/node2/cpulist`]: "" });
    await new Hugepages(kernel.sys, inProcessJournal()).reserve(6144);
    expect(kernel.pages).toEqual([3072, 3072, 7]);
  });

  it("reserve() does not count a tmpfs as memory that can be freed", async () => {
    const kernel = new FakeKernel([{}]);
    kernel.sys.files({
      [`${NODES}/node0/meminfo`]:
        "Node 0 MemTotal: 131072000 kB\nNode 0 MemFree: 2097152 kB\nNode 0 FilePages: 109051904 kB\nNode 0 Shmem: 109051904 kB\n",
    });
    await expect(new Hugepages(kernel.sys, inProcessJournal()).reserve(40_960)).rejects.toMatchObject({
      description: expect.stringContaining("has room for 1024") as string,
    });
    expect(kernel.sys.writes).toEqual([]);
  });

  it("reserve() does not count locked files as memory that can be freed", async () => {
    const kernel = new FakeKernel([{}]);
    kernel.sys.files({
      [`${NODES}/node0/meminfo`]:
        "Node 0 MemFree: 2048000 kB\nNode 0 FilePages: 4096000 kB\nNode 0 Shmem: 0 kB\nNode 0 Active(file): 1024000 kB\nNode 0 Inactive(file): 1024000 kB\nNode 0 Unevictable: 2048000 kB\nNode 0 SReclaimable: 2048 kB\n",
    });
    await expect(new Hugepages(kernel.sys, inProcessJournal()).reserve(3000)).rejects.toMatchObject({
      description: expect.stringContaining("has room for 2001") as string,
    });
  });

  it("free() keeps pages that are reserved for a mapping", async () => {
    const kernel = new FakeKernel([{}]);
    const pages = new Hugepages(kernel.sys, inProcessJournal());
    await pages.reserve(100);
    for (const node of kernel.nodes) node.used = 10;
    kernel.sys.files({
      [`/sys/kernel/mm/${POOL}/resv_hugepages`]: "5",
      [`${NODES}/node0/${POOL}/free_hugepages`]: "90",
    });
    expect(await pages.free()).toEqual([{ node: "node0", pages: 15 }]);
  });

  it("reserve() restores the previous state when the number cannot be recorded, because nothing would free the pages", async () => {
    const kernel = new FakeKernel([{ nr: 10 }, { nr: 600 }]);
    const full = new Error("ENOSPC");
    const journal = { ...inProcessJournal(), writeHugepages: () => Promise.reject(full) };
    await expect(new Hugepages(kernel.sys, journal).reserve(1024, { shrink: false })).rejects.toBe(full);
    expect(kernel.pages).toEqual([10, 600]);
  });

  it("free() gives back what reserve() has added, also by another process, and keeps what others have reserved", async () => {
    const kernel = new FakeKernel([{ nr: 10 }, { nr: 600 }]);
    const journal = inProcessJournal();
    await new Hugepages(kernel.sys, journal).reserve(1024, { shrink: false });
    expect(kernel.pages).toEqual([512, 600]);
    await new Hugepages(kernel.sys, journal).reserve(1400, { shrink: false });
    expect(kernel.pages).toEqual([700, 700]);
    await new Hugepages(kernel.sys, journal).reserve(1300);
    expect(kernel.pages).toEqual([650, 650]);
    await kernel.sys.write(`${NODES}/node0/${POOL}/nr_hugepages`, "657");
    await new Hugepages(kernel.sys, journal).free();
    expect(kernel.pages).toEqual([17, 600]);
    await new Hugepages(kernel.sys, journal).free();
    expect(kernel.pages).toEqual([17, 600]);
  });

  it("free() leaves the pages of a host that nothing has prepared", async () => {
    const kernel = new FakeKernel([{ nr: 6000 }]);
    await new Hugepages(kernel.sys, inProcessJournal()).free();
    expect(kernel.pages).toEqual([6000]);
  });
});
