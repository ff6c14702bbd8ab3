import { describe, expect, it } from "vitest";
import { imageSizes, type Machine, qemuArguments } from "./machine.ts";
import { newcArchive } from "./newc-archive.ts";

const machine: Machine = {
  nodes: 2,
  memoryMiB: 2048,
  nvme: [
    { serial: "A", sizeMiB: 64 },
    { serial: "B", sizeMiB: 64, bytesPerSecond: 1000 },
    { serial: "C", subsystem: "two", namespaces: [{ id: 2, sizeMiB: 32, options: "zoned=on" }] },
    { serial: "C", subsystem: "two", options: "mdts=4", namespaces: [] },
  ],
  nvdimmsMiB: [512],
};
const files = {
  kernel: "/k",
  initramfs: "/i",
  modules: "/m",
  control: "/c",
  console: "/log",
  images: "/images",
};

describe("qemuArguments", () => {
  const args = qemuArguments(machine, files, "tcg");

  it("qemuArguments() puts each controller on a node, and throttles the slow one", () => {
    expect(args.filter((word) => word.startsWith("nvme,"))).toEqual([
      "nvme,id=controller0,bus=nvme-slot0,serial=A,drive=nvme0",
      "nvme,id=controller1,bus=nvme-slot1,serial=B,drive=nvme1",
      "nvme,id=controller2,bus=nvme-slot2,serial=C,subsys=two",
      "nvme,id=controller3,bus=nvme-slot3,serial=C,subsys=two,mdts=4",
    ]);
    expect(args.find((word) => word.includes("id=nvme-slot1"))).toContain("bus=bridge1");
    expect(args.filter((word) => word.includes("throttling"))).toEqual([
      "if=none,id=nvme1,file=/images/nvme1,format=raw,cache=unsafe,discard=unmap,throttling.bps-total=1000",
    ]);
  });

  it("qemuArguments() makes a subsystem once, and its namespaces with their options", () => {
    expect(args.filter((word) => word.startsWith("nvme-"))).toEqual([
      "nvme-subsys,id=two,nqn=two",
      "nvme-ns,drive=nvme2-2,bus=controller2,nsid=2,zoned=on",
    ]);
  });

  it("qemuArguments() reserves memory for the NVDIMM and its label", () => {
    expect(args).toContain("size=2048M,slots=2,maxmem=4610M");
    expect(imageSizes(machine)).toEqual(
      new Map([
        ["nvme0", 64],
        ["nvme1", 64],
        ["nvme2-2", 32],
        ["nvdimm0", 514],
      ]),
    );
  });

  it("qemuArguments() gives every slot a different number", () => {
    const slots = args.flatMap((word) => /chassis=(\d+)/.exec(word)?.[1] ?? []);
    expect(new Set(slots).size).toBe(slots.length);
  });
});

describe("newcArchive", () => {
  it("newcArchive() pads names and contents to four bytes and ends with a trailer", () => {
    const archive = newcArchive([
      { path: "bin", mode: 0o40755 },
      { path: "bin/x", mode: 0o100755, content: Buffer.from("abcde") },
    ]);
    expect(archive.length % 4).toBe(0);
    const text = archive.toString("latin1");
    expect(text.match(/070701/g)).toHaveLength(3);
    expect(text).toContain("TRAILER!!!");
    expect(text.indexOf("abcde") % 4).toBe(0);
  });
});
