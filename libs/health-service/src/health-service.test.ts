import { createClient, createRouterTransport } from "@connectrpc/connect";
import { FaultCode } from "@daos/fault";
import { grpc } from "@daos/proto";
import { systemClock } from "@daos/sys";
import { expect, it } from "vitest";
import { healthService } from "./health-service.ts";

const { SERVING, NOT_SERVING, SERVICE_UNKNOWN } = grpc.HealthCheckResponse_ServingStatus;

function serve() {
  let leader = false;
  const down = new AbortController();
  const health = healthService({
    services: new Map([
      ["", () => true],
      ["mgmt.MgmtSvc", () => leader],
    ]),
    signal: down.signal,
    clock: { ...systemClock, delay: (_ms, options) => systemClock.delay(5, options) },
  });
  const client = createClient(
    grpc.Health,
    createRouterTransport((router) => router.service(grpc.Health, health)),
  );
  const lead = (now: boolean) => {
    leader = now;
  };
  return { client, lead, down };
}

it("check() returns whether a service takes calls", async () => {
  const { client, lead, down } = serve();
  expect((await client.check({})).status).toBe(SERVING);
  expect((await client.check({ service: "mgmt.MgmtSvc" })).status).toBe(NOT_SERVING);
  lead(true);
  expect((await client.check({ service: "mgmt.MgmtSvc" })).status).toBe(SERVING);
  down.abort();
  expect((await client.check({})).status).toBe(NOT_SERVING);
});

it("check() refuses a name that the server does not have", async () => {
  const health = healthService({
    services: new Map([["a.B", () => true]]),
    signal: new AbortController().signal,
  });
  const check = async () => health.check({ service: "a.C" } as grpc.HealthCheckRequest, {} as never);
  await expect(check()).rejects.toMatchObject({
    code: FaultCode.serviceUnknown,
    resolution: expect.stringContaining("a.B"),
  });
});

it("watch() sends the status and each change, and ends when the server goes down", async () => {
  const { client, lead, down } = serve();
  const seen: number[] = [];
  for await (const { status } of client.watch({ service: "mgmt.MgmtSvc" })) {
    seen.push(status);
    if (seen.length === 1) lead(true);
    if (seen.length === 2) down.abort();
  }
  expect(seen).toEqual([NOT_SERVING, SERVING, NOT_SERVING]);
});

it("watch() says that a service is unknown, and waits on", async () => {
  const { client } = serve();
  for await (const { status } of client.watch({ service: "none" })) {
    expect(status).toBe(SERVICE_UNKNOWN);
    break;
  }
});

it("watch() allows 1,000 watches of one kind of client, and accepts others", async () => {
  let kind = "agent";
  const health = healthService({
    services: new Map([["", () => true]]),
    signal: new AbortController().signal,
    kindOf: () => kind,
  });
  const { signal } = new AbortController();
  const watch = () => {
    const answers = health.watch({ service: "" } as grpc.HealthCheckRequest, { signal } as never);
    return answers[Symbol.asyncIterator]();
  };
  const watches = Array.from({ length: 1000 }, watch);
  for (const one of watches) expect((await one.next()).value).toMatchObject({ status: SERVING });
  await expect(watch().next()).rejects.toMatchObject({
    code: FaultCode.connectionLimit,
    message: expect.stringContaining("1000 watches of agent"),
  });
  kind = "admin";
  expect((await watch().next()).value).toMatchObject({ status: SERVING });
  kind = "agent";
  await watches[0]?.return?.();
  expect((await watch().next()).value).toMatchObject({ status: SERVING });
});
