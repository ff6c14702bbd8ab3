// The server that fuzz.ts attacks, in a process of its own: one port in plain text, one with TLS.
import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { silentLogger } from "@daos/log";
import { ctl, mgmt } from "@daos/proto";
import { DEFAULT_LIMITS } from "../connection-limits.ts";
import { createGrpcServer } from "../grpc-server.ts";
import type { TransportConfig } from "../transport-config.ts";

const transport = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as TransportConfig;
const handler = connectNodeAdapter({
  readMaxBytes: DEFAULT_LIMITS.maxMessageBytes,
  routes: (router) => {
    router.service(ctl.MgmtCtl, { storageScan: () => ({}), systemMemberQuery: () => ({}) });
    router.service(mgmt.MgmtSvc, { leaderQuery: () => ({ currentLeader: "localhost:10001" }) });
  },
});
// All clients have one address here.
const limits = { ...DEFAULT_LIMITS, connectionBurst: 1e9, connectionsPerSecond: 1e9 };
const ports: number[] = [];
for (const one of [{ ...transport, allowInsecure: true }, transport]) {
  const { server } = await createGrpcServer({ transport: one, log: silentLogger, handler, limits });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  ports.push((server.address() as AddressInfo).port);
}
process.on("message", () => {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  process.send?.({ used: heapUsed + external });
});
process.on("disconnect", () => process.exit());
process.send?.({ ports });
