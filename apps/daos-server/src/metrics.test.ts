import { request } from "node:https";
import { tmpdir } from "node:os";
import { text } from "node:stream/consumers";
import type { TLSSocket } from "node:tls";
import type { Harness } from "@daos/harness";
import type { EngineInstance } from "@daos/instance";
import { silentLogger } from "@daos/log";
import { inDays, TestAuthority, TestCertificateFiles } from "@daos/security/testing";
import { describe, expect, it } from "vitest";
import { type StartMetricsOptions, startMetrics } from "./metrics.ts";

const serving = { kind: "serving", rank: 4, ready: {} } as unknown as EngineInstance["state"];
const leading = {
  leadsHere: true,
  leader: { host: "node1", port: 10001 },
  membership: () => ({ list: () => [{ state: "joined" }, { state: "errored" }, { state: "joined" }] }),
} as unknown as StartMetricsOptions["leadership"];
const harness = {
  instances: [
    { index: 0, state: serving, superblock: { rank: 4 }, restarts: 2, config: { scm: { mount: tmpdir() } } },
    {
      index: 2,
      state: serving,
      superblock: { rank: 5 },
      restarts: 0,
      config: { scm: { mount: "/nonexistent" } },
    },
    { index: 1, state: { kind: "awaiting format", reason: "" }, config: { scm: { mount: "/nonexistent" } } },
  ],
} as unknown as Pick<Harness, "instances">;

const options = {
  host: "127.0.0.1",
  harness,
  leadership: leading,
  devices: () => undefined,
  log: silentLogger,
};

describe("startMetrics", () => {
  it("startMetrics() does nothing without telemetry_port", async () => {
    const config = {
      telemetryPort: undefined,
      telemetryTls: false,
      transport: { allowInsecure: true } as never,
    };
    expect(await startMetrics({ ...options, config })).toBeUndefined();
  });

  it("startMetrics() shows the expiry of the server's certificate and CA, and the state of its engines", async () => {
    using files = new TestCertificateFiles();
    const authority = new TestAuthority();
    const notAfter = inDays(20);
    const transport = files.transport("server", authority.pem, authority.issue("server", { notAfter }));
    const metrics = await startMetrics({
      // Any free port.
      ...options,
      config: { telemetryPort: 0, telemetryTls: false, transport },
    });
    const page = await (await fetch(`http://127.0.0.1:${metrics?.port}/metrics`)).text();
    await metrics?.close();
    const expiry = /daos_certificate_expiry_timestamp_seconds\{path="[^"]*",kind="server"\} (\d+)/.exec(page);
    expect(Number(expiry?.[1])).toBe(Math.floor(notAfter.getTime() / 1000));
    expect(page).toMatch(/daos_certificate_expiry_timestamp_seconds\{path="[^"]*",kind="ca"\} \d+/);
    expect(page).toMatch(/daos_certificate_usable\{path="[^"]*",kind="server"\} 1/);
    expect(page).toContain('daos_engine_state{index="0",rank="4",state="serving"} 1');
    expect(page).toContain('daos_engine_restarts{index="0"} 2');
    expect(page).toContain('daos_members{state="joined"} 2');
    expect(page).toContain('daos_members{state="errored"} 1');
    expect(page).toContain("daos_leader 1");
  });

  it("startMetrics() serves HTTPS at telemetry_address, and uses the new certificate after a reload", async () => {
    using files = new TestCertificateFiles();
    const authority = new TestAuthority();
    const issue = (days: number) =>
      files.transport("server", authority.pem, authority.issue("server", { notAfter: inDays(days) }));
    const config = {
      telemetryPort: 0,
      telemetryAddress: "127.0.0.2",
      telemetryTls: true,
      transport: issue(20),
    };
    const metrics = await startMetrics({ ...options, config });
    const get = (path: string) =>
      new Promise<{ page: string; validTo: string }>((resolve, reject) => {
        const { port } = metrics ?? {};
        const from = {
          host: "127.0.0.2",
          port,
          path,
          ca: authority.pem,
          servername: "server",
          agent: false as const,
        };
        request(from, (response) => {
          const { valid_to: validTo } = (response.socket as TLSSocket).getPeerCertificate();
          void text(response).then((page) => resolve({ page, validTo }), reject);
        })
          .on("error", reject)
          .end();
      });
    const before = await get("/readyz");
    expect(before.page).toBe(
      "[+]leader ok\n[+]engine 0 ok\n[+]engine 2 ok\n[-]engine 1 failed: awaiting format\nnot ready\n",
    );
    const { page } = await get("/metrics");
    expect(page).toMatch(/daos_scm_free_bytes\{index="0"\} \d+/);
    // One engine waits for a format, and the SCM of the other is missing.
    expect(page).not.toMatch(/daos_scm_free_bytes\{index="[12]"\}/);
    issue(300);
    await metrics?.reload();
    expect((await get("/healthz")).validTo).not.toBe(before.validTo);
    await metrics?.close();
  });
});
