import { once } from "node:events";
import { copyFile, mkdir, mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Code } from "@connectrpc/connect";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { EtcdClient } from "./etcd-client.ts";
import { etcdAdvice } from "./etcd-error.ts";
import { bytes, prefixEnd, text } from "./keys.ts";
import { EtcdCluster } from "./testing/etcd-cluster.ts";
import { makeTlsFiles } from "./testing/make-tls-files.ts";
import { SeverableProxy } from "./testing/severable-proxy.ts";

/** Timeout for anything that must happen, ms, with a margin for a loaded machine. */
const WAIT_MS = 30_000;
const wait = () => ({ signal: AbortSignal.timeout(WAIT_MS) });

let cluster: EtcdCluster;
beforeAll(async () => {
  cluster = await EtcdCluster.start({ members: 3 });
}, 120_000);
afterAll(() => cluster[Symbol.asyncDispose]());

async function read(client: EtcdClient, key: string): Promise<string | undefined> {
  const { kvs } = await client.range({ key: bytes(key) }, wait());
  return kvs[0] && text(kvs[0].value);
}

/** A port that accepts connections and sends nothing. */
async function silentPort() {
  const server = createServer(() => {}).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("no address");
  return {
    url: `http://127.0.0.1:${address.port}`,
    [Symbol.dispose]: () => {
      server.close();
    },
  };
}

/** A port without a listener. It is the local end of a connection, so no process can listen on it meanwhile. */
async function deadPort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const [[far]] = await Promise.all([once(server, "connection"), once(socket, "connect")]);
  return {
    url: `http://127.0.0.1:${socket.localPort}`,
    [Symbol.asyncDispose]: async () => {
      socket.destroy();
      (far as Socket).destroy();
      server.close();
      await once(server, "close");
    },
  };
}

describe("EtcdClient", () => {
  it("puts, reads, deletes", async () => {
    using client = cluster.client();
    await client.put({ key: bytes("/a/1"), value: bytes("one") }, wait());
    await client.put({ key: bytes("/a/2"), value: bytes("two €") }, wait());
    const { kvs } = await client.range({ key: bytes("/a/"), rangeEnd: prefixEnd("/a/") }, wait());
    expect(kvs.map(({ key, value }) => [text(key), text(value)])).toEqual([
      ["/a/1", "one"],
      ["/a/2", "two €"],
    ]);
    const { deleted } = await client.deleteRange({ key: bytes("/a/1") }, wait());
    expect(deleted).toBe(1n);
    expect(await read(client, "/a/1")).toBeUndefined();
  });

  it("keeps a lease alive until it is revoked, with its keys", async () => {
    using client = cluster.client();
    const { ID, TTL } = await client.leaseGrant(5, wait());
    expect(TTL).toBe(5n);
    await client.put({ key: bytes("/lease"), value: bytes("x"), lease: ID }, wait());
    expect(await client.leaseKeepAlive(ID, wait())).toBe(5);
    await client.leaseRevoke(ID, wait());
    expect(await read(client, "/lease")).toBeUndefined();
    expect(await client.leaseKeepAlive(ID, wait())).toBe(0);
    await client.leaseRevoke(ID, wait());
  });

  it("watch() yields changes as they happen", async () => {
    using client = cluster.client();
    const range = { key: bytes("/watched/"), rangeEnd: prefixEnd("/watched/") };
    const seen: string[] = [];
    for await (const { created, events } of client.watch(range, wait())) {
      if (created) {
        await client.put({ key: bytes("/watched/a"), value: bytes("1") }, wait());
        await client.deleteRange(range, wait());
      }
      seen.push(...events.map(({ kv }) => `${text(kv?.key ?? bytes(""))}=${text(kv?.value ?? bytes(""))}`));
      if (seen.length === 2) break;
    }
    expect(seen).toEqual(["/watched/a=1", "/watched/a="]);
  });

  it("reports that etcd has refused", async () => {
    using client = cluster.client();
    const lease = client.put({ key: bytes("/x"), value: bytes(""), lease: 7n }, wait());
    await expect(lease).rejects.toMatchObject({ outcome: "refused", code: Code.NotFound });
    const large = client.put({ key: bytes("/x"), value: new Uint8Array(2_000_000) }, wait());
    await expect(large).rejects.toMatchObject({ outcome: "refused", code: Code.InvalidArgument });
  });

  it("says that etcd has refused, and how its alarm is cleared, when its space is exceeded", async () => {
    await using full = await EtcdCluster.start({ quotaBytes: 100_000 });
    using client = full.client();
    const fill = async () => {
      for (;;) await client.put({ key: bytes("/full"), value: new Uint8Array(30_000) }, wait());
    };
    const refused = { outcome: "refused", code: Code.ResourceExhausted };
    const error = await fill().catch((reason: unknown) => reason);
    expect(error).toMatchObject(refused);
    expect(etcdAdvice(error)).toMatch(/alarm list.*compact.*defrag.*alarm disarm/);
    const put = { request: { case: "requestPut" as const, value: { key: bytes("/x"), value: bytes("x") } } };
    await expect(client.txn({ success: [put] }, wait())).rejects.toMatchObject(refused);
    await expect(client.leaseGrant(5, wait())).rejects.toMatchObject(refused);
    expect(etcdAdvice(new Error("no connection"))).toContain("endpoint health");
  });

  it("rejects with the signal's reason as soon as it aborts", async () => {
    using silent = await silentPort();
    using client = new EtcdClient({ endpoints: [silent.url], connectTimeoutMs: 60_000 });
    const controller = new AbortController();
    const reading = client.range({ key: bytes("/x") }, controller);
    controller.abort(new Error("enough"));
    await expect(reading).rejects.toThrow("enough");
    await expect(client.range({ key: bytes("/x") }, controller)).rejects.toThrow("enough");
  });

  it("runs more operations in one transaction than etcd accepts at one depth", async () => {
    using client = cluster.client();
    const put = (key: string) => ({
      request: { case: "requestPut" as const, value: { key: bytes(key), value: bytes("x") } },
    });
    const many = (count: number, prefix: string) =>
      Array.from({ length: count }, (_, index) => put(`/many/${prefix}/${index}`));
    await expect(client.txn({ success: many(129, "flat") }, wait())).rejects.toMatchObject({
      outcome: "refused",
    });
    const groups = Array.from({ length: 50 }, (_, index) => ({
      request: { case: "requestTxn" as const, value: { success: many(60, String(index)) } },
    }));
    const { header } = await client.txn({ success: groups }, { ...wait(), timeoutMs: WAIT_MS });
    const all = { key: bytes("/many/"), rangeEnd: prefixEnd("/many/") };
    const { kvs } = await client.range(all, { ...wait(), timeoutMs: WAIT_MS });
    expect(kvs).toHaveLength(3_000);
    expect(kvs.every(({ modRevision }) => modRevision === header?.revision)).toBe(true);
  });
});

describe("EtcdClient, when an endpoint fails", () => {
  // A test that fails may have left members killed or frozen.
  afterEach(() => cluster.restore());

  it("sends a change to the next endpoint when no connection could be opened", async () => {
    await using dead = await deadPort();
    using silent = await silentPort();
    const timeouts = { connectTimeoutMs: 3_000, callTimeoutMs: WAIT_MS };
    using client = cluster.client([dead.url, silent.url, ...cluster.endpoints], timeouts);
    const before = performance.now();
    await client.put({ key: bytes("/next"), value: bytes("there") }, wait());
    expect(performance.now() - before).toBeLessThan(WAIT_MS / 2);
    expect(await read(client, "/next")).toBe("there");
  });

  it("rejects a change with not-sent when no endpoint is left", async () => {
    using silent = await silentPort();
    await using dead = await deadPort();
    using client = new EtcdClient({ endpoints: [silent.url, dead.url] });
    const change = client.put({ key: bytes("/nowhere"), value: bytes("") }, wait());
    await expect(change).rejects.toMatchObject({ outcome: "not-sent" });
    await expect(change).rejects.toThrow(dead.url);
  });

  it("repeats a read at the next endpoint, and does not repeat a change that may have been sent", async () => {
    const [first = "", second = ""] = cluster.endpoints;
    await using proxy = await SeverableProxy.start(first);
    using client = cluster.client([proxy.url, second], { callTimeoutMs: 5_000, connectTimeoutMs: 5_000 });
    expect(await read(client, "/doubt")).toBeUndefined();
    proxy.cut();
    const before = performance.now();
    const change = client.put({ key: bytes("/doubt"), value: bytes("x") }, wait());
    await expect(change).rejects.toMatchObject({ outcome: "unknown" });
    expect(performance.now() - before).toBeLessThan(WAIT_MS / 2);
    expect(await read(client, "/doubt")).toBeUndefined();
  });

  it("reads from another member when one freezes, and returns to it when the others die", {
    timeout: 120_000,
  }, async () => {
    using writer = cluster.client();
    await writer.put({ key: bytes("/frozen"), value: bytes("1") }, wait());
    using client = cluster.client(cluster.endpoints, { connectTimeoutMs: 5_000, callTimeoutMs: 3_000 });
    expect(await read(client, "/frozen")).toBe("1");
    const [frozen, ...others] = cluster.members;
    frozen?.freeze();
    const before = performance.now();
    // etcd itself may have to elect a leader.
    for (let answer: string | undefined; answer !== "1"; ) {
      answer = await read(client, "/frozen").catch(() => undefined);
      expect(performance.now() - before).toBeLessThan(WAIT_MS);
    }
    frozen?.thaw();
    const [killed] = others;
    await killed?.kill();
    const again = performance.now();
    for (let done = false; !done; ) {
      done = await client.put({ key: bytes("/frozen"), value: bytes("2") }, wait()).then(
        () => true,
        () => false,
      );
      expect(performance.now() - again).toBeLessThan(WAIT_MS);
    }
    killed?.restart();
    await cluster.ready();
    expect(await read(writer, "/frozen")).toBe("2");
  });

  it("ends a watch at a member that lost its quorum", { timeout: 120_000 }, async () => {
    const [alone = "", ...rest] = cluster.endpoints;
    using client = cluster.client([alone], { connectTimeoutMs: WAIT_MS, callTimeoutMs: 1_000 });
    const others = cluster.members.filter(({ url }) => rest.includes(url));
    const watching = (async () => {
      for await (const { created } of client.watch(
        { key: bytes("/w") },
        { signal: AbortSignal.timeout(WAIT_MS) },
      )) {
        if (created) for (const member of others) await member.kill();
      }
    })();
    await expect(watching).rejects.toMatchObject({ outcome: "unknown" });
    await expect(read(client, "/w")).rejects.toMatchObject({ outcome: "unknown" });
    for (const member of others) member.restart();
    await cluster.ready();
  });
});

describe("EtcdClient with TLS", () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "daos-etcd-tls-"));
  });
  afterAll(() => rm(directory, { recursive: true }));

  it("presents a certificate, verifies etcd's, and reads the files for each connection", {
    timeout: 120_000,
  }, async () => {
    const good = await makeTlsFiles(join(directory, "good"));
    const other = await makeTlsFiles(join(directory, "other"));
    await using secure = await EtcdCluster.start({ tls: good });
    const [url = ""] = secure.endpoints;
    using client = secure.client();
    await client.put({ key: bytes("/tls"), value: bytes("secret") }, wait());
    expect(await read(client, "/tls")).toBe("secret");

    const timeouts = { connectTimeoutMs: WAIT_MS, callTimeoutMs: WAIT_MS };
    const attempt = async (endpoint: string, tls: object, timeouts = {}) => {
      using stranger = new EtcdClient({ endpoints: [endpoint], tls, ...timeouts });
      return await read(stranger, "/tls");
    };
    await expect(attempt(url, { caCert: good.caCert })).rejects.toThrow(url);
    await expect(attempt(url, { ...good, caCert: other.caCert }, timeouts)).rejects.toThrow(/certificate/);
    await expect(attempt(url, { ...other, caCert: good.caCert })).rejects.toThrow(url);
    // With TLS 1.3 the alert comes after the handshake, and the call fails at once with the reason.
    await expect(attempt(url, { ...other, caCert: good.caCert }, timeouts)).rejects.toThrow(/alert/);
    await expect(attempt(url.replace("https", "http"), {})).rejects.toThrow(/127/);
    await expect(attempt(url, { ...good, key: "/nowhere/key" })).rejects.toThrow(/nowhere/);

    const mine = join(directory, "mine");
    await mkdir(mine);
    const files = { caCert: join(mine, "ca"), cert: join(mine, "cert"), key: join(mine, "key") };
    const install = async (from: { readonly [File in keyof typeof files]: string }) => {
      for (const file of ["caCert", "cert", "key"] as const) await copyFile(from[file], files[file]);
    };
    await install(other);
    // etcd may close the connection of an unknown client without an alert.
    using again = new EtcdClient({ endpoints: [url], tls: files, connectTimeoutMs: 5_000 });
    await expect(read(again, "/tls")).rejects.toThrow(url);
    await install(good);
    expect(await read(again, "/tls")).toBe("secret");
  });
});

describe("prefixEnd()", () => {
  it("ends a range after every key with the prefix", () => {
    expect(text(prefixEnd("/a/"))).toBe("/a0");
    expect(() => prefixEnd("")).toThrow("not a prefix");
    expect(() => prefixEnd("é")).toThrow("not a prefix");
  });
});
