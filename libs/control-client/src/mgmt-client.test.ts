import { once } from "node:events";
import { createServer as createHttp2Server } from "node:http2";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { FaultCode } from "@daos/fault";
import type { HostAddress } from "@daos/hostlist";
import { mgmt } from "@daos/proto";
import { deadline } from "@daos/sys";
import { describe, expect, it } from "vitest";
import { LeaderFinder } from "./leader-finder.ts";
import { MgmtClient } from "./mgmt-client.ts";

/** A server that accepts connections on the loopback. Dispose of it. */
async function listening(server: Server) {
  const sockets = new Set<Socket>();
  let accepted = 0;
  server.on("connection", (socket: Socket) => {
    accepted++;
    sockets.add(socket.on("error", () => {}));
    socket.once("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    host: { host: "127.0.0.1", port: (server.address() as AddressInfo).port } satisfies HostAddress,
    /** Connections that were accepted. */
    get accepted() {
      return accepted;
    },
    /** Connections that are open. */
    get open() {
      return sockets.size;
    },
    drop: () => {
      for (const socket of sockets) socket.destroy();
    },
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** A stopped process: the kernel accepts the connection, and no process answers. */
const onlyAccepts = () => createServer();
/** Accepts requests and never answers them. */
const neverAnswers = () => createHttp2Server() as unknown as Server;
/** The leader, which says so. */
const leads = () =>
  createHttp2Server(
    connectNodeAdapter({
      routes: (router) =>
        router.service(mgmt.MgmtSvc, {
          reportEngines: () => ({ leader: "here:10001" }),
          join: () => ({}),
        }),
    }),
  ) as unknown as Server;

describe("MgmtClient", () => {
  it.each([
    ["a host that only takes the connection", onlyAccepts],
    ["a server that never answers", neverAnswers],
  ])("MgmtClient reports that %s has not answered in time", async (_name, make) => {
    await using server = await listening(make());
    const { host } = server;
    const client = new MgmtClient(async () => undefined);
    using limit = deadline(200, "the step");
    await expect(client.killRank(host, 3, { ...limit, force: false })).rejects.toMatchObject({
      code: FaultCode.timedOut,
      description: `cannot stop rank 3 on 127.0.0.1:${host.port}`,
    });
  });

  it("MgmtClient distinguishes a cancellation from a deadline", async () => {
    await using server = await listening(neverAnswers());
    const client = new MgmtClient(async () => undefined);
    const stop = new AbortController();
    setTimeout(() => stop.abort(new DOMException("the server ends", "AbortError")), 100);
    await expect(client.startRank(server.host, 3, stop)).rejects.toMatchObject({ code: FaultCode.cancelled });
  });

  it("MgmtClient finds the leader past frozen hosts, without waiting for their deadline", async () => {
    await using first = await listening(onlyAccepts());
    await using second = await listening(neverAnswers());
    await using third = await listening(leads());
    const client = new MgmtClient(async () => undefined);
    const accessPoints = [first.host, second.host, third.host];
    const finder = new LeaderFinder({ accessPoints, known: () => undefined });
    const report = { addr: "here:10001", engines: [], intervalMs: 5_000, warnings: [], configured: 0 };
    using limit = deadline(40_000, "report");
    const ended: HostAddress[] = [];
    const send = (host: HostAddress, wait: { readonly signal: AbortSignal }) =>
      client.reportEngines(host, report, wait).finally(() => ended.push(host));
    const answer = await finder.ask(send, { signal: limit.signal, hostMs: 100 });
    expect(answer.leader).toBe("here:10001");
    expect(ended[0]).toEqual(third.host);
    expect(finder.leader).toEqual(third.host);
  });

  const REPORT = { addr: "here:10001", engines: [], intervalMs: 5_000, warnings: [], configured: 0 };

  it("MgmtClient uses one connection for the joins of a host and its reports", async () => {
    await using server = await listening(leads());
    using client = new MgmtClient(async () => undefined);
    const signal = AbortSignal.timeout(20_000);
    const join = {
      ...{ uuid: "a", rank: 0, uri: "", nctxs: 1, addr: REPORT.addr, faultDomain: "/", reports: true },
      ...{ recorded: false, engineNumber: 1 },
    };
    await client.join(server.host, join, { signal });
    await client.join(server.host, { ...join, uuid: "b" }, { signal });
    await client.reportEngines(server.host, REPORT, { signal });
    expect(server.accepted).toBe(1);
  });

  it("MgmtClient keeps the connection of its reports, until one fails or it is disposed", async () => {
    await using server = await listening(leads());
    using client = new MgmtClient(async () => undefined);
    const send = (signal = AbortSignal.timeout(20_000)) =>
      client.reportEngines(server.host, REPORT, { signal });
    await send();
    await send();
    expect(server.accepted).toBe(1);
    await expect(send(AbortSignal.abort(new Error("no")))).rejects.toThrow();
    await send();
    expect(server.accepted).toBe(2);
    client[Symbol.dispose]();
    await expect.poll(() => server.open).toBe(0);
  });

  it("MgmtClient connects again for a report when its server is back, and when the certificates are new", async () => {
    await using server = await listening(leads());
    let tls: undefined | null;
    using client = new MgmtClient(async () => tls as undefined);
    const send = () => client.reportEngines(server.host, REPORT, { signal: AbortSignal.timeout(20_000) });
    await send();
    server.drop();
    await expect.poll(() => send().then(() => server.accepted)).toBe(2);
    // Stands for new certificates. The server has none, so this call fails, but on a connection of its own.
    tls = null;
    await expect(send()).rejects.toThrow();
    expect(server.accepted).toBe(3);
    await expect.poll(() => server.open).toBe(0);
  });

  it("MgmtClient closes the connection of other calls after each", async () => {
    await using server = await listening(leads());
    using client = new MgmtClient(async () => undefined);
    for (const _ of [1, 2]) {
      const signal = AbortSignal.timeout(20_000);
      await expect(client.startRank(server.host, 3, { signal })).rejects.toThrow();
      await expect.poll(() => server.open).toBe(0);
    }
    expect(server.accepted).toBe(2);
  });
});
