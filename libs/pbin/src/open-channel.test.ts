import { FaultCode } from "@daos/fault";
import { runWithoutDescriptors } from "@daos/sys/testing";
import { describe, expect, it } from "vitest";
import { openChannel } from "./open-channel.ts";

describe("openChannel()", () => {
  it("fails with a fault when no descriptors are left, and works again afterwards", async () => {
    const { before, without, after } = await runWithoutDescriptors(
      new URL("testing/attempt-open.ts", import.meta.url),
    );
    const ended = { result: "it ended with exit code 0" };
    expect([before, after]).toEqual([ended, ended]);
    expect(without[0]).toMatchObject({ error: { code: FaultCode.helperUnavailable } });
    for (const attempt of without) {
      if ("error" in attempt) expect(attempt.error.code).toBe(FaultCode.helperUnavailable);
      else expect(attempt).toEqual(ended);
    }
  });

  it("fails with a fault when the helper does not exist", async () => {
    await expect(openChannel({ kind: "program", path: "/no/such/helper" })).rejects.toMatchObject({
      code: FaultCode.helperUnavailable,
    });
  });
});
