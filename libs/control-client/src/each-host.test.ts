import { once } from "node:events";
import { createServer as createHttp2Server } from "node:http2";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { FaultCode } from "@daos/fault";
import { formatHostAddress, type HostAddress } from "@daos/hostlist";
import { ctl } from "@daos/proto";
import { describe, expect, it } from "vitest";
import { ControlClient } from "./control-client.ts";
import { storageScan } from "./storage-scan.ts";

type Behaviour = "well" | "hole" | "reset" | "slow" | "garbage";

const HOSTS = 1024;
const DEADLINE_MS = 25_000;
const SLOW_MS = 500;

/** 5 % black holes, 5 % resets, 5 % slow, 1 % garbage. */
function behaviourOf(index: number): Behaviour {
  if (index % 100 === 50) return "garbage";
  return ({ 3: "hole", 7: "reset", 11: "slow" } as const)[index % 20] ?? "well";
}

/** Every address of the loopback network is a host. One listener acts as all of them. */
async function hostsOnLoopback() {
  const indexOf = (socket: Socket) => {
    const [, , c = 0, d = 0] = (socket.localAddress ?? "").split(".").map(Number);
    return c * 256 + d;
  };
  const handler = connectNodeAdapter({
    routes: (router) => {
      router.service(ctl.MgmtCtl, {
        storageScan: async (_, { requestHeader }) => {
          const [, , c = 0, d = 0] = (requestHeader.get("x-host") ?? "").split(".").map(Number);
          if (behaviourOf(c * 256 + d) === "slow") await delay(SLOW_MS);
          return {};
        },
      });
    },
  });
  const http2 = createHttp2Server((request, response) => {
    request.headers["x-host"] = request.authority;
    handler(request, response);
  });
  const sockets = new Set<Socket>();
  const listener = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).once("close", () => sockets.delete(socket));
    switch (behaviourOf(indexOf(socket))) {
      case "hole":
        return;
      case "reset":
        socket.resetAndDestroy();
        return;
      case "garbage":
        socket.write("HTTP/1.1 400 Bad Request\r\n\r\nthis is something else entirely");
        return;
      case "well":
      case "slow":
        http2.emit("connection", socket);
        return;
      default:
        throw new Error("a behaviour without a case");
    }
  });
  listener.listen({ port: 0, host: "0.0.0.0", backlog: 2048 });
  await once(listener, "listening");
  const { port } = listener.address() as AddressInfo;
  const hosts: HostAddress[] = Array.from({ length: HOSTS }, (_, at) => ({
    host: `127.1.${Math.floor((at + 1) / 256)}.${(at + 1) % 256}`,
    port,
  }));
  return {
    hosts,
    indexOf: ({ host }: HostAddress) => {
      const [, , c = 0, d = 0] = host.split(".").map(Number);
      return c * 256 + d;
    },
    [Symbol.dispose]() {
      listener.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

const EXPECTED: Readonly<Record<Behaviour, readonly (number | undefined)[]>> = {
  well: [undefined],
  slow: [undefined],
  hole: [FaultCode.timedOut],
  reset: [FaultCode.connectionLost],
  garbage: [FaultCode.notDaosServer],
};

describe("1,024 hosts", () => {
  it("ControlClient.eachHost() yields 1,024 hosts once each, by cause, in bounded memory", {
    timeout: 120_000,
  }, async () => {
    using system = await hostsOnLoopback();
    const before = process.memoryUsage().rss;
    let most = before;
    const seen = new Map<string, number | undefined>();
    const client = new ControlClient({ hosts: system.hosts, timeoutMs: DEADLINE_MS });
    const wrong: string[] = [];
    const began = performance.now();
    for await (const { host, outcome } of storageScan(client)) {
      const name = formatHostAddress(host);
      const code = outcome.kind === "failed" ? outcome.fault.code : undefined;
      const behaviour = behaviourOf(system.indexOf(host));
      if (seen.has(name) || !EXPECTED[behaviour].includes(code)) wrong.push(`${name} ${behaviour} ${code}`);
      seen.set(name, code);
      most = Math.max(most, process.memoryUsage.rss());
    }
    expect(wrong).toEqual([]);
    expect(seen.size).toBe(HOSTS);
    // The deadlines of the black holes run concurrently. Two in sequence would exceed this limit on any machine.
    expect(performance.now() - began).toBeLessThan(2 * DEADLINE_MS);
    expect(most - before).toBeLessThan(400e6);
  });
});
