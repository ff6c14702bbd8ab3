import { FaultCode } from "@daos/fault";
import { socketHelper } from "@daos/pbin/testing";
import { describe, expect, it } from "vitest";
import { BdevForwarder } from "./bdev-forwarder.ts";
import { bdevMethods } from "./bdev-methods.ts";

describe("BdevForwarder", () => {
  it("passes on the progress of each device before the result", async () => {
    const progress = { device: "0000:81:00.0", step: "zero", fraction: 0.5, elapsedMs: 3, remainingMs: 3 };
    await using helper = await socketHelper(bdevMethods, {
      BdevFormat: ({ devices }, context) => {
        context.progress(progress);
        context.progress({ ...progress, fraction: 1, remainingMs: undefined });
        const fault = { domain: "bdev", code: 313, description: "no", resolution: "try" };
        return Promise.resolve({ results: [{ device: devices[0] ?? "" }, { device: "b", fault }] });
      },
    });
    const seen: unknown[] = [];
    const results = await new BdevForwarder({ helper: helper.location }).format(
      { class: "nvme", list: ["0000:81:00.0"] },
      { onProgress: (step) => seen.push(step) },
    );
    expect(seen).toEqual([progress, { ...progress, fraction: 1, remainingMs: undefined }]);
    expect(results).toMatchObject([{ device: "0000:81:00.0" }, { device: "b", fault: { code: 313 } }]);
  });

  it("BdevForwarder passes on reformat and the selection of a reset", async () => {
    const asked: unknown[] = [];
    await using helper = await socketHelper(bdevMethods, {
      BdevFormat: (payload) => {
        asked.push(payload);
        return Promise.resolve({ results: [] });
      },
      BdevReset: (payload) => {
        asked.push(payload);
        return Promise.resolve({ controllers: [], hugepages: [] });
      },
    });
    const bdev = new BdevForwarder({ helper: helper.location });
    await bdev.format({ class: "nvme", list: ["0000:81:00.0"] }, { reformat: true });
    const selection = { whitelist: "0000:81:00.0", include: ["0000:81:00.0"], exclude: ["0000:82:00.0"] };
    await bdev.reset(selection);
    expect(asked).toEqual([{ devices: ["0000:81:00.0"], reformat: true }, selection]);
  });

  it("sends no request for devices that need no privileges", async () => {
    const bdev = new BdevForwarder({ helper: { kind: "socket", path: "/nowhere/helper.sock" } });
    expect(await bdev.format({ class: "file", list: ["/tmp/b"] })).toEqual([{ device: "/tmp/b" }]);
    expect(await bdev.format({ class: "malloc", list: [] })).toEqual([]);
    await expect(bdev.reset()).rejects.toMatchObject({ code: FaultCode.helperUnavailable });
  });
});
