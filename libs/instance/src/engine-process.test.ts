import { FaultCode } from "@daos/fault";
import { runWithoutDescriptors } from "@daos/sys/testing";
import { describe, expect, it } from "vitest";

describe("EngineProcess", () => {
  it("EngineProcess.start() is a fault when descriptors have run out, and works again afterwards", async () => {
    const { before, without, after } = await runWithoutDescriptors(
      new URL("testing/attempt-start.ts", import.meta.url),
    );
    const ended = { result: { code: 0, signal: null } };
    expect([before, after]).toEqual([ended, ended]);
    expect(without[0]).toMatchObject({
      error: {
        code: FaultCode.engineStartFailed,
        resolution: expect.stringContaining("LimitNOFILE=") as string,
      },
    });
    for (const attempt of without) {
      if ("error" in attempt) expect(attempt.error.code).toBe(FaultCode.engineStartFailed);
      else expect(attempt).toEqual(ended);
    }
  });
});
