// A fake DAOS server for bench-cli.mjs. It prints its port, and answers system member-query until it is killed.
import { FakeServer } from "@daos/control-client/testing";

const members = [{ rank: 0, uuid: "7c3bd1e4-7a37-4fdb-9a7b-2c5f8e6b9d10", addr: "127.0.0.1:10001" }];
const server = await FakeServer.start({ ctl: { systemMemberQuery: () => ({ members }) } });
process.stdout.write(`${server.host.port}\n`);
