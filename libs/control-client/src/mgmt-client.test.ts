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
async function listening(server: Server): Promise<AsyncDisposable & { readonly host: HostAddress }> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => sockets.add(socket.on("error", () => {})));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    host: { host: "127.0.0.1", port: (server.address() as AddressInfo).port },
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
      routes: (router) => router.service(mgmt.MgmtSvc, { reportEngines: () => ({ leader: "here:10001" }) }),
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
      description: `stop rank 3 on 127.0.0.1:${host.port}`,
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
});
