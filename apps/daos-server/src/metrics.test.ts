import type { Leadership } from "@daos/election";
import type { Harness } from "@daos/harness";
import type { EngineInstance } from "@daos/instance";
import { silentLogger } from "@daos/log";
import { inDays, TestAuthority, TestCertificateFiles } from "@daos/security/testing";
import { describe, expect, it } from "vitest";
import { startMetrics } from "./metrics.ts";

const serving = { kind: "serving", rank: 4, ready: {} } as unknown as EngineInstance["state"];
const leading = {
  leadsHere: true,
  membership: () => ({ list: () => [{ state: "joined" }, { state: "errored" }, { state: "joined" }] }),
} as unknown as Pick<Leadership, "leadsHere" | "membership">;
const harness = {
  instances: [{ index: 0, state: serving, superblock: { rank: 4 }, restarts: 2 }],
} as unknown as Pick<Harness, "instances">;

describe("startMetrics", () => {
  it("does nothing without telemetry_port", async () => {
    const config = { telemetryPort: undefined, transport: { allowInsecure: true } as never };
    expect(
      await startMetrics({ config, host: "127.0.0.1", harness, leadership: leading, log: silentLogger }),
    ).toBeUndefined();
  });

  it("tells when the server's certificate and its CA expire, and how its engines are", async () => {
    using files = new TestCertificateFiles();
    const authority = new TestAuthority();
    const notAfter = inDays(20);
    const transport = files.transport("server", authority.pem, authority.issue("server", { notAfter }));
    const metrics = await startMetrics({
      // Whichever is free.
      config: { telemetryPort: 0, transport },
      host: "127.0.0.1",
      harness,
      leadership: leading,
      log: silentLogger,
    });
    const text = await (await fetch(`http://127.0.0.1:${metrics?.port}/metrics`)).text();
    await metrics?.close();
    const expiry = /daos_certificate_expiry_timestamp_seconds\{path="[^"]*",kind="server"\} (\d+)/.exec(text);
    expect(Number(expiry?.[1])).toBe(Math.floor(notAfter.getTime() / 1000));
    expect(text).toMatch(/daos_certificate_expiry_timestamp_seconds\{path="[^"]*",kind="ca"\} \d+/);
    expect(text).toMatch(/daos_certificate_usable\{path="[^"]*",kind="server"\} 1/);
    expect(text).toContain('daos_engine_state{index="0",rank="4",state="serving"} 1');
    expect(text).toContain('daos_engine_restarts{index="0"} 2');
    expect(text).toContain('daos_members{state="joined"} 2');
    expect(text).toContain('daos_members{state="errored"} 1');
    expect(text).toContain("daos_leader 1");
  });
});
