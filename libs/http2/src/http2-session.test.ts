import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import {
  createServer as createHttp2Server,
  createSecureServer,
  type Http2Server,
  type ServerHttp2Session,
} from "node:http2";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatHostAddress } from "@daos/hostlist";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Http2Session } from "./http2-session.ts";
import { DeadPort } from "./testing/dead-port.ts";
import { FullPort } from "./testing/full-port.ts";
import { MISBEHAVING_PEERS } from "./testing/misbehaving-peers.ts";
import { RawServer } from "./testing/raw-server.ts";

const WAIT_MS = 20_000;

/** Opens a connection and sends one request on it. @returns the response's status */
async function call(session: Http2Session, timeoutMs: number): Promise<unknown> {
  const limit = AbortSignal.timeout(timeoutMs);
  await session.connect({ signal: limit, timeoutMs });
  const stream = await session.request("POST", "/any", {});
  limit.addEventListener("abort", () => stream.close());
  stream.end();
  const ended = once(stream, "close").then(() => Promise.reject(new Error("no response")));
  const [headers] = await Promise.race([once(stream, "response"), ended]);
  stream.resume();
  return (headers as Record<string, unknown>)[":status"];
}

describe("Http2Session", () => {
  // An error without a listener would be uncaught, and fail the run.
  it.each(MISBEHAVING_PEERS)("rejects the call and stays usable when its peer is $name", async (peer) => {
    await using server = await RawServer.start(peer.handle);
    using session = new Http2Session(`http://${formatHostAddress(server.host)}`);
    const timeoutMs = peer.isSilent ? 300 : WAIT_MS;
    await expect(call(session, timeoutMs)).rejects.toThrow();
    await expect(call(session, timeoutMs)).rejects.toThrow();
    expect(server.connections).toBeGreaterThanOrEqual(1);
  });

  it("rejects with the system's error when the port has no listener", async () => {
    await using dead = await DeadPort.take();
    using session = new Http2Session(`http://${formatHostAddress(dead.host)}`);
    await expect(call(session, WAIT_MS)).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });

  it("rejects when the host takes no connection in time", async () => {
    // A process that never accepts, and has room for one connection: the kernel drops the rest, as when a host is down.
    await using full = await FullPort.take();
    using session = new Http2Session(`http://${formatHostAddress(full.host)}`, { tcpMs: 50 });
    await expect(call(session, WAIT_MS)).rejects.toMatchObject({ code: "ETIMEDOUT" });
  });

  it("connect() rejects with the signal's reason as soon as it aborts", async () => {
    await using server = await RawServer.start();
    using session = new Http2Session(`http://${formatHostAddress(server.host)}`);
    const stop = new AbortController();
    const connecting = session.connect({ signal: stop.signal, timeoutMs: WAIT_MS });
    stop.abort(new Error("enough"));
    await expect(connecting).rejects.toThrow("enough");
  });

  it("shares one connection between calls, and opens a new one after a loss", async () => {
    const sessions: ServerHttp2Session[] = [];
    const http2 = createHttp2Server((_, response) => response.end());
    http2.on("session", (one: ServerHttp2Session) => sessions.push(one));
    await using server = await listening(http2);
    using session = new Http2Session(`http://127.0.0.1:${server.port}`);
    expect(await Promise.all([call(session, WAIT_MS), call(session, WAIT_MS)])).toEqual([200, 200]);
    expect(sessions).toHaveLength(1);
    sessions[0]?.destroy();
    await expect.poll(() => call(session, WAIT_MS).catch(() => undefined)).toBe(200);
    session.drop();
    expect(await call(session, WAIT_MS)).toBe(200);
    expect(sessions).toHaveLength(3);
  });
});

describe("Http2Session with TLS", () => {
  let directory: string;
  let own: { readonly cert: string; readonly key: string };
  let other: typeof own;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "daos-http2-"));
    own = await selfSigned(directory, "own");
    other = await selfSigned(directory, "other");
  });
  afterAll(() => rm(directory, { recursive: true }));

  it.each(["TLSv1.2", "TLSv1.3"] as const)(
    "rejects with the alert as soon as the server refuses the client's certificate over %s",
    async (maxVersion) => {
      const options = { ...own, ca: own.cert, requestCert: true, rejectUnauthorized: true, maxVersion };
      await using server = await listening(createSecureServer(options, (_, response) => response.end()));
      const clientOf = (identity: typeof own) =>
        new Http2Session(`https://127.0.0.1:${server.port}`, {
          loadTls: async () => ({ ...identity, ca: own.cert }),
        });
      using refused = clientOf(other);
      await expect(call(refused, WAIT_MS)).rejects.toMatchObject({
        code: expect.stringMatching(/^ERR_SSL_TLSV1_ALERT_|^ECONNRESET$/),
      });
      using accepted = clientOf(own);
      expect(await call(accepted, WAIT_MS)).toBe(200);
      expect(accepted.serverCertificateExpiry).toEqual(new X509Certificate(own.cert).validToDate);
    },
  );

  it("loads the certificates for each connection", async () => {
    await using server = await listening(createSecureServer(own, (_, response) => response.end()));
    let trusted = other;
    using session = new Http2Session(`https://127.0.0.1:${server.port}`, {
      loadTls: async () => ({ ca: trusted.cert }),
    });
    await expect(call(session, WAIT_MS)).rejects.toMatchObject({ code: "DEPTH_ZERO_SELF_SIGNED_CERT" });
    trusted = own;
    expect(await call(session, WAIT_MS)).toBe(200);
  });

  it.each(MISBEHAVING_PEERS)("rejects when its peer is $name, which does not speak TLS", async (peer) => {
    await using server = await RawServer.start(peer.handle);
    using session = new Http2Session(`https://${formatHostAddress(server.host)}`, {
      loadTls: async () => ({}),
    });
    // Peers that wait for a request never get one.
    await expect(call(session, 300)).rejects.toThrow();
  });
});

async function listening(server: Http2Server | ReturnType<typeof createSecureServer>) {
  const sessions = new Set<ServerHttp2Session>();
  server.on("session", (session: ServerHttp2Session) => sessions.add(session));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, "close");
      server.close();
      for (const session of sessions) session.destroy();
      await closed;
    },
  };
}

/** A certificate for 127.0.0.1 that is its own authority. */
async function selfSigned(directory: string, name: string) {
  const [key, cert] = [join(directory, `${name}.key`), join(directory, `${name}.crt`)];
  execFileSync(
    "openssl",
    [
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"],
      ...["-subj", `/CN=${name}`, "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert],
    ],
    { stdio: "ignore" },
  );
  return { cert: await readFile(cert, "utf8"), key: await readFile(key, "utf8") };
}
