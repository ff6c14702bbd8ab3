import type { DeviceProgress } from "@daos/bdev";
import type { EngineConfig } from "@daos/config";
import { Fault, FaultCode } from "@daos/fault";
import { silentLogger } from "@daos/log";
import { describe, expect, it } from "vitest";
import { type BdevPort, EngineStorage, type ScmPort } from "./engine-storage.ts";
import { faultFormatNotAwaited } from "./faults.ts";
import type { InstanceState } from "./instance.ts";

const [A, B] = ["0000:81:00.0", "0000:82:00.0"] as const;
const fault = new Fault({
  domain: "bdev",
  code: FaultCode.bdevFormatFailed,
  description: "x",
  resolution: "y",
});
const { signal } = new AbortController();

function storage(scm: Partial<ScmPort>, bdev: Partial<BdevPort>): EngineStorage {
  const refuse = (what: string) => () => Promise.reject(new Error(`unexpected: ${what}`));
  return new EngineStorage({
    config: {
      index: 0,
      scm: { class: "ram", mount: "/mnt/daos0", sizeGiB: 1 },
      bdev: { class: "nvme", list: [A, B], number: 0, sizeGB: 0 },
    } as unknown as EngineConfig,
    replica: "none",
    scm: {
      checkFormat: () => Promise.resolve({ kind: "unformatted" }),
      format: () => Promise.resolve(),
      mount: refuse("mount"),
      ...scm,
    },
    bdev: { check: refuse("check"), format: refuse("format"), ...bdev },
    mayMount: true,
    recreateSuperblocks: false,
    log: silentLogger,
  });
}

async function format(engine: EngineStorage) {
  const steps: [string, string, number][] = [];
  const onProgress = ({ device, step, fraction }: DeviceProgress) =>
    void steps.push([device, step, fraction]);
  return { result: await engine.format({ reformat: false, signal, onProgress }), steps };
}

describe("EngineStorage.format", () => {
  it("tells of every device from the start, and how each ended", async () => {
    const { result, steps } = await format(
      storage(
        {},
        {
          format: async (_, { onProgress } = { signal }) => {
            onProgress?.({ device: A, step: "format", fraction: 0.5, elapsedMs: 1, remainingMs: 1 });
            return [{ device: A }, { device: B, fault }];
          },
        },
      ),
    );
    expect(result).toEqual({ mount: "/mnt/daos0", bdevs: [{ device: A }, { device: B, fault }] });
    expect(steps).toEqual([
      ["/mnt/daos0", "format", 0],
      [A, "waiting", 0],
      [B, "waiting", 0],
      ["/mnt/daos0", "done", 1],
      [A, "format", 0.5],
      [A, "done", 1],
      [B, "failed", 1],
    ]);
  });

  it("leaves block devices alone when SCM fails", async () => {
    const { result, steps } = await format(storage({ format: () => Promise.reject(fault) }, {}));
    expect(result).toEqual({ mount: "/mnt/daos0", scmFault: fault, bdevs: [] });
    expect(steps.slice(-3)).toEqual([
      ["/mnt/daos0", "failed", 1],
      [A, "skipped", 1],
      [B, "skipped", 1],
    ]);
  });

  it("says of each block device what kept all of them from being formatted", async () => {
    const { result } = await format(storage({}, { format: () => Promise.reject(fault) }));
    expect(result).toEqual({
      mount: "/mnt/daos0",
      bdevs: [
        { device: A, fault },
        { device: B, fault },
      ],
    });
  });
});

describe("a format that nobody waits for is refused with what is true of", () => {
  const running = FaultCode.storageFormatOnRunningSystem;
  const other = FaultCode.storageFormatNotAwaited;
  const cases: readonly (readonly [
    Exclude<InstanceState, { readonly kind: "awaiting format" }>,
    FaultCode,
    string,
  ])[] = [
    [{ kind: "new" }, other, "which has not been looked at yet"],
    [{ kind: "formatting" }, other, "which is being formatted already"],
    [{ kind: "starting", reason: "" }, running, "whose engine is being started"],
    [{ kind: "serving" } as InstanceState & { kind: "serving" }, running, "whose engine runs"],
    [{ kind: "restarting", reason: "it died" }, running, "about to be started again: it died"],
    [{ kind: "stopped" }, other, "of an engine that was stopped"],
    [{ kind: "failed", fault }, other, "whose engine has failed: x"],
  ];
  it.each(cases)("%j", (state, code, words) => {
    const refused = faultFormatNotAwaited(3, "/mnt/daos3", state);
    expect(refused.code).toBe(code);
    expect(refused.message).toContain("format storage of engine 3 (/mnt/daos3), ");
    expect(refused.message).toContain(words);
    expect(refused.resolution).not.toBe("");
  });
});
