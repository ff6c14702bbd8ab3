import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { clientTlsSource } from "./client-tls-source.ts";
import { inDays, TestAuthority, TestCertificateFiles } from "./testing/index.ts";
import type { TransportConfig } from "./transport-config.ts";

const authority = new TestAuthority();
let files: TestCertificateFiles;
let transport: TransportConfig;
let now = 0;

beforeEach(() => {
  files = new TestCertificateFiles();
  transport = files.transport("client", authority.pem, authority.issue("server"));
  now = 0;
});
afterEach(() => files[Symbol.dispose]());

describe("clientTlsSource", () => {
  it("clientTlsSource() gives the same options until a file changes, which is seen within a second", async () => {
    const source = clientTlsSource(transport, () => now);
    const first = await source();
    now += 5_000;
    expect(await source()).toBe(first);
    files.transport("client", authority.pem, authority.issue("server"));
    now += 999;
    expect(await source()).toBe(first);
    now += 1;
    const second = await source();
    expect(second).not.toBe(first);
    now += 61_000;
    expect(await source()).toBe(second);
  });

  it("clientTlsSource() rejects when a file cannot be used any more, and recovers", async () => {
    const source = clientTlsSource(transport, () => now);
    await source();
    files.write("client.crt", "rubbish");
    now += 1_000;
    await expect(source()).rejects.toThrow("client.crt");
    transport = files.transport("client", authority.pem, authority.issue("server"));
    await expect(source()).resolves.toMatchObject({ servername: "server" });
  });

  it("clientTlsSource() finds within a minute that its certificate has expired", async () => {
    files.transport("client", authority.pem, authority.issue("server", { notAfter: inDays(2 / 86_400) }));
    const source = clientTlsSource(transport, () => now);
    await source();
    now += 59_000;
    await source();
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    now += 1_000;
    await expect(source()).rejects.toThrow("expired");
  });

  it("clientTlsSource() gives nothing in plain text", async () => {
    expect(await clientTlsSource({ ...transport, allowInsecure: true })()).toBeUndefined();
  });
});
