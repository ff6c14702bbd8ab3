import { Code, ConnectError, createClient, createRouterTransport } from "@connectrpc/connect";
import { createLogger, type LogRecord } from "@daos/log";
import { mgmt } from "@daos/proto";
import type { Peer } from "@daos/security";
import { TestAuthority } from "@daos/security/testing";
import { expect, it } from "vitest";
import { auditInterceptor, peerKey } from "./audit-interceptor.ts";

const authority = new TestAuthority();

/** A peer with a certificate of this role. */
function peerOf(role: "admin" | "server"): Peer {
  const { certificate } = authority.issue(role);
  return { kind: "certificate", role, certificate, address: "10.0.0.9" };
}

/** The lines after this many calls of a peer. Calls for rank 0 succeed; all others are refused. */
async function auditOf(peer: Peer, ranks: readonly number[]): Promise<readonly LogRecord[]> {
  const records: LogRecord[] = [];
  const log = createLogger((record) => records.push(record), { level: "INFO" });
  const transport = createRouterTransport(
    ({ service }) =>
      service(mgmt.MgmtSvc, {
        killRank: ({ rank }) => {
          if (rank !== 0) throw new ConnectError("not allowed", Code.PermissionDenied);
          return {};
        },
      }),
    {
      router: {
        interceptors: [
          (next) => (request) => {
            request.contextValues.set(peerKey, peer);
            return next(request);
          },
          auditInterceptor(log),
        ],
      },
    },
  );
  const client = createClient(mgmt.MgmtSvc, transport);
  for (const rank of ranks) await client.killRank({ rank }).catch(() => {});
  return records;
}

const refused = Array<number>(100).fill(1);
const done = Array<number>(100).fill(0);

it("auditInterceptor() writes a line for each successful call, and for each call of an administrator", async () => {
  expect(await auditOf(peerOf("server"), done)).toHaveLength(100);
  expect(await auditOf(peerOf("admin"), [...done, ...refused])).toHaveLength(200);
});

it("auditInterceptor() writes a few lines a minute when a server repeats refused calls without a pause", async () => {
  const records = await auditOf(peerOf("server"), refused);
  expect(records).toHaveLength(10);
  expect(records[0]).toMatchObject({
    message: "KillRank",
    fields: { role: "server", outcome: "PERMISSION_DENIED", address: "10.0.0.9" },
  });
});
