import type { EtcdClient } from "@daos/etcd";
import { EtcdCluster } from "@daos/etcd/testing";
import { afterAll, beforeAll } from "vitest";
import { describeMemberStore } from "./testing/member-store-contract.ts";
import { openTerm } from "./testing/open-term.ts";

let cluster: EtcdCluster;
let client: EtcdClient;
beforeAll(async () => {
  cluster = await EtcdCluster.start();
  client = cluster.client();
}, 30_000);
afterAll(async () => {
  client[Symbol.dispose]();
  await cluster[Symbol.asyncDispose]();
});

let systems = 0;
const newSystem = () => `test${systems++}`;

describeMemberStore("EtcdMemberStore", async () => {
  const system = newSystem();
  return async () => (await openTerm(client, system)).store;
});
