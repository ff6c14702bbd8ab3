import { create, toBinary } from "@bufbuild/protobuf";
import { drpcMethods } from "@daos/drpc";
import { Fault, FaultCode } from "@daos/fault";
import type { HostAddress } from "@daos/hostlist";
import { silentLogger } from "@daos/log";
import { mgmt } from "@daos/proto";
import { expect, it } from "vitest";
import { MsReplicas } from "./ms-replicas.ts";

const HOSTS: readonly HostAddress[] = [1, 2, 3].map((last) => ({ host: `10.0.0.${last}`, port: 10001 }));
const [FIRST, SECOND, THIRD] = HOSTS as [HostAddress, HostAddress, HostAddress];
const { signal } = new AbortController();
const NO_REPLICA = new Fault({
  domain: "system",
  code: FaultCode.notAccessPoint,
  description: "no engine here has a replica",
  resolution: "ask another",
});
const JOINED = toBinary(mgmt.JoinRespSchema, create(mgmt.JoinRespSchema, { status: 0 }));

/** The second of three access points, which has no replica; of the others only those in `serving` answer. */
function replicas(known: readonly { address: HostAddress; hasReplica: boolean }[], serving: HostAddress[]) {
  const asked: string[] = [];
  const calls = new MsReplicas({
    harness: {
      msInstance: () => {
        asked.push(SECOND.host);
        throw NO_REPLICA;
      },
    },
    self: SECOND,
    accessPoints: () => known,
    configured: HOSTS,
    callEngine: (host) => {
      asked.push(host.host);
      return serving.includes(host) ? Promise.resolve(JOINED) : Promise.reject(NO_REPLICA);
    },
    log: silentLogger,
  });
  return { asked, join: () => calls.call(drpcMethods.join, {}, { signal }) };
}

const REPLICA = { hasReplica: true };
const NONE = { hasReplica: false };

it.each([
  ["that is known to have one", [{ address: FIRST, ...REPLICA }], [FIRST, THIRD], ["10.0.0.2", "10.0.0.1"]],
  [
    "that the store of the members does not know any more, after the others",
    [{ address: THIRD, ...REPLICA }],
    [FIRST],
    ["10.0.0.2", "10.0.0.3", "10.0.0.1"],
  ],
])("MsReplicas.call() asks the engine of an access point %s", async (_, known, serving, expected) => {
  const { asked, join } = replicas([{ address: SECOND, ...NONE }, ...known], serving);
  expect(await join()).toMatchObject({ status: 0 });
  expect(asked).toEqual(expected);
  asked.length = 0;
  await join();
  expect(asked, "the one that answered is asked first").toEqual(expected.slice(-1));
});

it("MsReplicas.call() does not ask an access point without a replica", async () => {
  const { asked, join } = replicas(
    [
      { address: FIRST, ...NONE },
      { address: THIRD, ...REPLICA },
    ],
    [],
  );
  await expect(join()).rejects.toMatchObject({ code: FaultCode.poolServiceDown });
  expect(asked).toEqual(["10.0.0.2", "10.0.0.3"]);
});
