import { createRouterTransport } from "@connectrpc/connect";
import { mgmt } from "@daos/proto";
import { describe, expect, it } from "vitest";
import { lazyClient } from "./lazy-client.ts";

describe("lazyClient()", () => {
  it("has the methods of the service, each through the transport of its client", async () => {
    const clients = ["one", "two"].map((currentLeader) =>
      lazyClient(
        mgmt.MgmtSvc,
        createRouterTransport(({ service }) => {
          service(mgmt.MgmtSvc, { leaderQuery: () => ({ currentLeader }) });
        }),
      ),
    );
    const leaders = await Promise.all(clients.map((client) => client.leaderQuery({})));
    expect(leaders.map(({ currentLeader }) => currentLeader)).toEqual(["one", "two"]);
    for (const { localName } of mgmt.MgmtSvc.methods) expect(clients[0]).toHaveProperty(localName);
  });
});
