import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DrpcClient, DrpcServer, drpcMethods, drpcModule, drpcModules, handle } from "@daos/drpc";
import { FaultCode } from "@daos/fault";
import { silentLogger } from "@daos/log";
import { expect, it } from "vitest";
import { EngineClient, type EngineConnection } from "./engine-client.ts";

/** Answers every call with its number, until it is lost. */
class FakeConnection implements EngineConnection {
  readonly number: number;
  isOpen = true;

  constructor(number: number) {
    this.number = number;
  }

  call = (async () => {
    if (!this.isOpen) throw new Error(`connection ${this.number} was lost`);
    return { status: this.number };
  }) as unknown as EngineConnection["call"];

  close = () => {
    this.isOpen = false;
  };
}

function setUp() {
  const opened = [new FakeConnection(0)];
  const engine = { listens: true };
  const client = new EngineClient(opened[0] as FakeConnection, async () => {
    if (!engine.listens) throw new Error("connection refused");
    const fresh = new FakeConnection(opened.length);
    opened.push(fresh);
    return fresh;
  });
  const call = async () => (await client.call(drpcMethods.setUp, undefined, wait)).status;
  return { opened, engine, client, call, open: () => opened.filter(({ isOpen }) => isOpen).length };
}

const wait = { signal: new AbortController().signal };

it("EngineClient.call() opens a lost connection again at the next call, one for all calls", async () => {
  const { opened, client, call, open } = setUp();
  expect(await call()).toBe(0);
  opened[0]?.close();
  expect(await Promise.all([call(), call(), call()])).toEqual([1, 1, 1]);
  expect(open()).toBe(1);
  client.close();
  expect(open()).toBe(0);
});

it("EngineClient.call() reports the loss while there is no other connection, and tries again at each call", async () => {
  const { opened, engine, call } = setUp();
  opened[0]?.close();
  engine.listens = false;
  await expect(call()).rejects.toThrow("connection 0 was lost");
  engine.listens = true;
  expect(await call()).toBe(1);
});

it("EngineClient.call() opens no connection after the process has ended, not even one that was begun before", async () => {
  const { opened, client, call, open } = setUp();
  opened[0]?.close();
  const late = call();
  client.close();
  await expect(late).rejects.toThrow("connection 0 was lost");
  await expect(call()).rejects.toThrow("connection 0 was lost");
  expect(opened).toHaveLength(2);
  expect(open()).toBe(0);
});

it("EngineClient.call() reaches a dRPC server that has ended its sessions", async () => {
  const directory = await mkdtemp(join(tmpdir(), "engine-client-"));
  const path = join(directory, "engine.sock");
  const listen = async (status: number) => {
    const modules = [drpcModule(drpcModules.mgmt, [handle(drpcMethods.setUp, () => ({ status }))])];
    const server = new DrpcServer({ path, modules, log: silentLogger });
    await server.listen();
    return server;
  };
  const first = await listen(1);
  const client = new EngineClient(await DrpcClient.connect(path, wait), (until) =>
    DrpcClient.connect(path, until),
  );
  const call = () => client.call(drpcMethods.setUp, undefined, wait);
  expect((await call()).status).toBe(1);
  await first.close();
  await expect(call()).rejects.toMatchObject({ code: FaultCode.drpcConnectionLost });
  const second = await listen(2);
  expect((await call()).status).toBe(2);
  client.close();
  await second.close();
  await rm(directory, { recursive: true });
});
