import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Client, createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { ControlClient } from "@daos/control-client";
import { type FakeCalls, FakeServer } from "@daos/control-client/testing";
import { Fault, FaultCode } from "@daos/fault";
import { ctl, web } from "@daos/proto";
import { fromConnectError } from "@daos/rpc";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { WebServer, type WebServerOptions } from "./web-server.ts";

const files = mkdtempSync(join(tmpdir(), "daos-web-"));
writeFileSync(join(files, "index.html"), "<!doctype html><title>DAOS</title>");
writeFileSync(join(files, "main-ABCD1234.js"), "1;");
writeFileSync(join(files, "notes.txt"), "not of the page");
afterAll(() => rmSync(files, { recursive: true }));

const POOL = "7c3bd1e4-7a37-4fdb-9a7b-2c5f8e6b9d10";

const members = [0, 1].map((rank) => ({
  rank,
  uuid: `u${rank}`,
  addr: `10.0.0.${rank + 1}:10001`,
  state: ctl.MemberState.MEMBER_JOINED,
  since: 1_000n,
  incarnation: 1,
}));

interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A page server on a fake system, with what a browser would keep. */
class Served implements AsyncDisposable {
  readonly links: string[] = [];
  readonly server: WebServer;
  readonly fake: FakeServer;
  readonly abort = new AbortController();
  headers: Record<string, string>;

  private constructor(server: WebServer, fake: FakeServer, links: string[], abort: AbortController) {
    this.server = server;
    this.fake = fake;
    this.links = links;
    this.abort = abort;
    this.headers = { origin: this.origin };
  }

  static async start(calls: FakeCalls = {}, more: Partial<WebServerOptions> = {}): Promise<Served> {
    const known: FakeCalls = {
      ctl: { systemQuery: () => ({ members }), ...calls.ctl },
      mgmt: {
        leaderQuery: () => ({ currentLeader: "127.0.0.1:1", replicas: ["127.0.0.1:1"] }),
        listPools: () => ({ pools: [{ uuid: "p", svcreps: [0] }] }),
        ...calls.mgmt,
      },
    };
    const fake = await FakeServer.start(known);
    const links: string[] = [];
    const abort = new AbortController();
    const server = await WebServer.start({
      port: 0,
      files,
      connect: async (signal) => ({
        client: new ControlClient({ hosts: [fake.host], signal, leaderWaitMs: 0 }),
        system: "daos_server",
        warnings: () => ["warning: a certificate expires"],
      }),
      command: "dmg -i",
      version: "0.1.0",
      readOnly: false,
      createPool: async () => ({ uuid: POOL, svcReplicas: [0], notes: [] }),
      signal: abort.signal,
      onAdmitted: (link) => links.push(link),
      times: { queryMs: 50, poolsMs: 0, retryMs: 20, aliveMs: 200 },
      ...more,
    });
    return new Served(server, fake, links, abort);
  }

  get origin(): string {
    return new URL(this.server.link).origin;
  }

  get token(): string {
    return new URL(this.server.link).hash.replace("#token=", "");
  }

  /** A request with exactly these headers. */
  ask(method: string, path: string, headers: Record<string, string> = {}, body = ""): Promise<Answered> {
    const { port, host } = new URL(this.origin);
    return new Promise((resolve, reject) => {
      const options = { method, path, port, host: "127.0.0.1", headers: { host, ...headers } };
      const request = httpRequest(options, (answer) => {
        let text = "";
        answer.setEncoding("utf8").on("data", (chunk: string) => {
          text += chunk;
        });
        answer.on("end", () =>
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: text }),
        );
      });
      request.on("error", reject);
      request.end(body);
    });
  }

  /** Lets this client in, as the page does. */
  async enter(): Promise<Client<typeof web.Page>> {
    const { headers, body } = await this.ask("POST", "/session", { origin: this.origin }, this.token);
    const cookie = headers["set-cookie"]?.[0]?.split(";", 1)[0] ?? "";
    this.headers = { origin: this.origin, cookie, "x-dmg-web-key": JSON.parse(body).key };
    const transport = createConnectTransport({
      baseUrl: this.origin,
      httpVersion: "1.1",
      interceptors: [
        (next) => (request) => {
          for (const [name, value] of Object.entries(this.headers)) request.header.set(name, value);
          return next(request);
        },
      ],
    });
    return createClient(web.Page, transport);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.abort.abort();
    await this.server[Symbol.asyncDispose]();
    await this.fake[Symbol.asyncDispose]();
  }
}

/** The fault of a call that fails. */
async function faultOf(work: Promise<unknown>): Promise<Fault> {
  try {
    await work;
  } catch (error) {
    return fromConnectError(error, { attempted: "call", host: "dmg web" });
  }
  throw new Error("the call did not fail");
}

describe("WebServer: files and headers", () => {
  let served: Served;
  beforeAll(async () => {
    served = await Served.start();
  });
  afterAll(async () => {
    await served[Symbol.asyncDispose]();
  });

  it("serves the page with a policy that lets no inline script and no other site in", async () => {
    const { status, headers, body } = await served.ask("GET", "/");
    expect({ status, type: headers["content-type"] }).toEqual({
      status: 200,
      type: "text/html; charset=utf-8",
    });
    expect(body).toContain("DAOS");
    const policy = String(headers["content-security-policy"]).split("; ");
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(String(headers["content-security-policy"])).not.toMatch(/unsafe|http|\*/);
    expect(headers).toMatchObject({
      "cache-control": "no-store",
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
      "cross-origin-resource-policy": "same-origin",
    });
    expect(Object.keys(headers)).not.toContain("access-control-allow-origin");
  });

  it("lets the browser keep files whose names have a hash", async () => {
    const { headers } = await served.ask("GET", "/main-ABCD1234.js");
    expect(headers["cache-control"]).toContain("immutable");
  });

  const outside = ["/notes.txt", "/../index.html", "/%2e%2e/index.html", "/etc/passwd", "/index.html", "//"];
  it.each(outside)("does not serve GET %j", async (path) => {
    expect((await served.ask("GET", path)).status).toBe(404);
  });

  it("refuses a Host other than the printed one, in words for people", async () => {
    const { status, body } = await served.ask("GET", "/", { host: "localhost:1" });
    expect(status).toBe(403);
    expect(body).toContain("3133");
    expect(body).toContain("open the link as dmg web has printed it");
  });

  const methods = ["PUT", "DELETE", "OPTIONS", "PATCH"];
  it.each(methods)("refuses the method %s", async (method) => {
    expect((await served.ask(method, "/")).status).toBe(400);
  });
});

describe("WebServer: sessions", () => {
  it("turns a token into a strict cookie and a key once, and makes a new link", async () => {
    await using served = await Served.start();
    const { link, token } = { link: served.server.link, token: served.token };
    const first = await served.ask("POST", "/session", { origin: served.origin }, token);
    expect(first.status).toBe(200);
    expect(first.headers["set-cookie"]?.[0]).toMatch(
      /^dmg-web-\d+=[\w-]{43}; HttpOnly; SameSite=Strict; Path=\/$/,
    );
    expect(served.links).toEqual([served.server.link]);
    expect(served.server.link).not.toBe(link);
    const second = await served.ask("POST", "/session", { origin: served.origin }, token);
    expect({ status: second.status, cookie: second.headers["set-cookie"] }).toEqual({
      status: 401,
      cookie: undefined,
    });
    expect(JSON.parse(second.body).fault.code).toBe(FaultCode.webNotAuthorized);
  });

  it("refuses a token from another origin, or a long one, which stays valid", async () => {
    await using served = await Served.start();
    const foreign = await served.ask("POST", "/session", { origin: "http://evil.example" }, served.token);
    const none = await served.ask("POST", "/session", {}, served.token);
    const long = await served.ask("POST", "/session", { origin: served.origin }, "x".repeat(2_000));
    expect([foreign.status, none.status, long.status]).toEqual([403, 403, 400]);
    await served.enter();
  });

  it("requires the cookie, the key and the origin of a call", async () => {
    await using served = await Served.start();
    await served.enter();
    const good = { ...served.headers, "content-type": "application/json" };
    const call = (headers: Record<string, string>) =>
      served.ask("POST", "/web.Page/QueryHost", headers, "{}");
    const without = (name: string) =>
      Object.fromEntries(Object.entries(good).filter(([key]) => key !== name));
    const statuses = [];
    for (const name of ["cookie", "x-dmg-web-key", "origin"])
      statuses.push((await call(without(name))).status);
    statuses.push((await call({ ...good, origin: "http://127.0.0.1:1" })).status);
    statuses.push((await call({ ...good, "sec-fetch-site": "same-site" })).status);
    expect(statuses).toEqual([401, 401, 403, 403, 403]);
    // Its address is empty: it came as far as that.
    expect((await call(good)).body).toContain("FaultDetail");
  });

  it("refuses a call that is too large", async () => {
    await using served = await Served.start();
    const page = await served.enter();
    const fault = await faultOf(page.queryHost({ address: "x".repeat(300_000) }));
    expect(fault.message).toMatch(/size|large|limit/);
  });
});

describe("WebServer: calls", () => {
  let served: Served | undefined;
  afterEach(async () => {
    await served?.[Symbol.asyncDispose]();
    served = undefined;
  });

  /** Reads the live view until a test has seen enough. */
  async function watchUntil(
    page: Client<typeof web.Page>,
    enough: (seen: readonly web.WatchResp[]) => boolean,
  ) {
    const seen: web.WatchResp[] = [];
    const abort = new AbortController();
    for await (const message of page.watch({}, { signal: abort.signal })) {
      seen.push(message);
      if (enough(seen)) break;
    }
    abort.abort();
    return seen.map(({ change }) => change);
  }

  it("watch() begins with the whole state, and sends a change of a member as soon as there is an event", async () => {
    const states = [ctl.MemberState.MEMBER_JOINED];
    const died = Promise.withResolvers<void>();
    served = await Served.start(
      {
        ctl: {
          systemQuery: () => ({ members: [{ ...members[0], state: states[0] }, members[1] ?? {}] }),
          async *systemEvents(_request, { signal }) {
            await died.promise;
            yield {
              number: 1n,
              time: 5n,
              kind: "engine_died",
              severity: "error",
              message: "killed",
              rank: 0,
            };
            await new Promise((resolve) => signal.addEventListener("abort", resolve));
          },
        },
      },
      { times: { queryMs: 60_000, poolsMs: 0, retryMs: 20, aliveMs: 60_000 } },
    );
    const page = await served.enter();
    const changes = await watchUntil(page, (seen) => {
      const last = seen.at(-1)?.change;
      if (last?.case === "link" && last.value.connected) {
        states[0] = ctl.MemberState.MEMBER_ERRORED;
        died.resolve();
      }
      return (
        last?.case === "members" &&
        last.value.changed.some(({ state }) => state === ctl.MemberState.MEMBER_ERRORED)
      );
    });
    expect(changes[0]).toMatchObject({
      case: "setup",
      value: { system: "daos_server", command: "dmg -i", readOnly: false },
    });
    const last = changes.at(-1);
    expect(last?.case === "members" && last.value.changed.map(({ rank }) => rank)).toEqual([0]);
    expect(changes).toContainEqual(expect.objectContaining({ case: "warnings" }));
    expect(
      changes.some((change) => change.case === "events" && change.value.events[0]?.kind === "engine_died"),
    ).toBe(true);
  });

  it("watch() sends the reason why the leader cannot be reached, and its return", async () => {
    let lost = false;
    served = await Served.start({
      ctl: {
        systemQuery: () => {
          if (!lost) return { members };
          throw new Fault({
            domain: "security",
            code: FaultCode.notAuthorized,
            description: "no",
            resolution: "wait",
          });
        },
      },
    });
    const page = await served.enter();
    const links: (boolean | number)[] = [];
    await watchUntil(page, (seen) => {
      const last = seen.at(-1)?.change;
      if (last?.case !== "link") return false;
      links.push(last.value.connected ? true : (last.value.fault?.code ?? 0));
      lost = links.length === 2;
      return links.length >= 4;
    });
    expect(links).toEqual([0, true, FaultCode.notAuthorized, true]);
  });

  it("watch() sends a new reason why the leader cannot be reached, and keeps the time", async () => {
    let reason = "it is starting";
    served = await Served.start({
      ctl: {
        systemQuery: () => {
          throw new Fault({
            domain: "security",
            code: FaultCode.notAuthorized,
            description: reason,
            resolution: "wait",
          });
        },
      },
    });
    const page = await served.enter();
    const lost: (readonly [string, bigint])[] = [];
    await watchUntil(page, (seen) => {
      const last = seen.at(-1)?.change;
      if (last?.case !== "link" || last.value.fault === undefined) return false;
      lost.push([last.value.fault.description, last.value.since]);
      reason = "it has ended";
      return lost.length === 2;
    });
    expect(lost.map(([description]) => description)).toEqual(["it is starting", "it has ended"]);
    expect(lost[0]?.[1]).toBe(lost[1]?.[1]);
  });

  it("watch() sends a sign of life, and the queries end with the last window", async () => {
    served = await Served.start();
    const page = await served.enter();
    await watchUntil(page, (seen) => seen.at(-1)?.change.case === "alive");
    const { fake } = served;
    await expect.poll(() => fake.calls.length).toBeGreaterThan(0);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const before = fake.calls.length;
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(fake.calls.length).toBe(before);
  });

  it("act() runs the action on the named ranks, and returns the result of each", async () => {
    const asked: unknown[] = [];
    served = await Served.start({
      ctl: {
        systemStopMembers: ({ selection, force }) => {
          asked.push({ ranks: selection?.ranks, force });
          const fault = { domain: "engine", code: 601, description: "it hangs", resolution: "use --force" };
          return {
            results: [
              { rank: 0, state: ctl.MemberState.MEMBER_STOPPED },
              { rank: 1, fault },
            ],
          };
        },
      },
    });
    const page = await served.enter();
    const { results } = await page.act({ action: web.MemberAction.STOP, ranks: [0, 1], force: true });
    expect(asked).toEqual([{ ranks: [0, 1], force: true }]);
    expect(results.map(({ rank, fault }) => [rank, fault?.code])).toEqual([
      [0, undefined],
      [1, 601],
    ]);
  });

  it("act() does nothing without ranks, without an action, and in a page that is read-only", async () => {
    served = await Served.start({}, { readOnly: true });
    await using other = await Served.start();
    const [readOnly, page] = [await served.enter(), await other.enter()];
    const faults = [
      await faultOf(readOnly.act({ action: web.MemberAction.STOP, ranks: [0] })),
      await faultOf(page.act({ action: web.MemberAction.STOP })),
      await faultOf(page.act({ ranks: [0] })),
    ];
    expect(faults.map(({ code }) => code)).toEqual([
      FaultCode.webReadOnly,
      FaultCode.webRequestInvalid,
      FaultCode.webRequestInvalid,
    ]);
    expect([...served.fake.calls, ...other.fake.calls]).toEqual([]);
  });

  it("gets, replaces and checks an access control list, creates and destroys pools", async () => {
    const asked: unknown[] = [];
    const acl = ["A::OWNER@:rw"];
    served = await Served.start({
      mgmt: {
        poolGetACL: () => ({ ACL: acl }),
        poolOverwriteACL: ({ uuid, ACL }) => {
          asked.push([uuid, ACL]);
          return { ACL };
        },
        poolDestroy: ({ uuid, force }) => {
          asked.push([uuid, force]);
          return {};
        },
      },
    });
    const page = await served.enter();
    expect((await page.getAcl({ pool: POOL })).entries).toEqual(acl);
    const entries = ["A:G:GROUP@:r"];
    expect((await page.overwriteAcl({ pool: POOL, entries })).entries).toEqual(entries);
    expect(await page.createPool({ scmSize: "1G" })).toMatchObject({ uuid: POOL, svcReplicas: [0] });
    await page.destroyPool({ pool: POOL, force: true });
    expect(asked).toEqual([
      [POOL, entries],
      [POOL, true],
    ]);
  });

  it("sends no invalid pool call, and none of a read-only page, to a server", async () => {
    served = await Served.start({}, { readOnly: true });
    await using other = await Served.start();
    const [readOnly, page] = [await served.enter(), await other.enter()];
    const codes = await Promise.all(
      [
        readOnly.overwriteAcl({ pool: POOL, entries: ["A::OWNER@:rw"] }),
        readOnly.createPool({ scmSize: "1G" }),
        readOnly.destroyPool({ pool: POOL }),
        readOnly.startWork({ kind: web.WorkKind.FORMAT, hosts: "node1" }),
        readOnly.endWork({}),
        page.overwriteAcl({ pool: POOL }),
        page.overwriteAcl({ pool: POOL, entries: ["A::ana:rw"] }),
        page.destroyPool({ pool: "p" }),
      ].map(async (call) => (await faultOf(call)).code),
    );
    const { webReadOnly, webRequestInvalid, aclInvalid } = FaultCode;
    expect(codes).toEqual([
      ...Array.from({ length: 5 }, () => webReadOnly),
      webRequestInvalid,
      aclInvalid,
      webRequestInvalid,
    ]);
    expect([...served.fake.calls, ...other.fake.calls]).toEqual([]);
  });

  it("startWork() formats, one at a time, even when the window closes, and watch() shows it", async () => {
    const go = Promise.withResolvers<void>();
    served = await Served.start({
      ctl: {
        async *storageFormatWatch({ reformat }) {
          const progress = { device: "/mnt/daos", step: "format", fraction: 0.25, elapsedMs: 1_000n };
          yield { event: { case: "progress", value: progress } };
          await go.promise;
          yield { event: { case: "results", value: { mrets: [{ mntpoint: `/mnt/${reformat}` }] } } };
        },
      },
    });
    const page = await served.enter();
    const { host, port } = served.fake.host;
    const hosts = `${host}:${port}`;
    const request = { kind: web.WorkKind.FORMAT, hosts, reformat: true };
    await page.startWork(request);
    const first = await watchUntil(page, (seen) => {
      const last = seen.at(-1)?.change;
      return last?.case === "work" && last.value.devices.length > 0;
    });
    expect(first.at(-1)).toMatchObject({
      value: { ended: 0n, hostsTotal: 1, devices: [{ host: hosts, device: "/mnt/daos", fraction: 0.25 }] },
    });
    expect((await faultOf(page.startWork(request))).code).toBe(FaultCode.webWorkGoesOn);
    go.resolve();
    const second = await watchUntil(page, (seen) => {
      const last = seen.at(-1)?.change;
      return last?.case === "work" && last.value.ended > 0n;
    });
    expect(second.at(-1)).toMatchObject({
      value: { results: [{ host: hosts, targets: [{ target: "/mnt/true", text: "formatted" }] }] },
    });
  });

  it("endWork() ends a burn-in on the server, and the failure is in its results", async () => {
    const ended = Promise.withResolvers<void>();
    served = await Served.start({
      ctl: {
        async *storageBurnIn({ seconds, devices }, { signal }) {
          expect({ seconds, devices }).toEqual({ seconds: 60, devices: ["0000:81:00.0"] });
          signal.addEventListener("abort", () => ended.resolve());
          await ended.promise;
        },
      },
    });
    const page = await served.enter();
    const { host, port } = served.fake.host;
    const kind = web.WorkKind.BURN_IN;
    const hosts = `${host}:${port}`;
    expect((await faultOf(page.startWork({ kind, hosts, seconds: 5_401 }))).code).toBe(
      FaultCode.webRequestInvalid,
    );
    await page.startWork({ kind, hosts, seconds: 60, devices: "0000:81:00.0" });
    await expect.poll(() => served?.fake.calls).toContain("MgmtCtl/StorageBurnIn");
    await page.endWork({});
    await ended.promise;
    const changes = await watchUntil(page, (seen) => {
      const last = seen.at(-1)?.change;
      return last?.case === "work" && last.value.ended > 0n;
    });
    expect(changes.at(-1)).toMatchObject({ value: { results: [{ fault: expect.anything() }] } });
  });

  it("scanStorage() has the devices of each host, and the fault of one that does not answer", async () => {
    served = await Served.start({
      ctl: {
        storageScan: () => ({
          nvme: { ctrlrs: [{ pciaddr: "0000:81:00.0" }] },
          scm: { modules: [{ capacity: 8n }, { capacity: 8n }] },
        }),
      },
    });
    const page = await served.enter();
    const { host, port } = served.fake.host;
    const { hosts } = await page.scanStorage({ hosts: `${host}:${port},127.0.0.1:1` });
    expect(hosts).toMatchObject([
      { address: "127.0.0.1:1", faults: [{ code: FaultCode.connectionRefused }] },
      { controllers: [{ address: "0000:81:00.0" }], scmModules: 2, scmBytes: 16n, faults: [] },
    ]);
  });

  it("queryHost() returns the host's answers, with a fault for each failed part", async () => {
    served = await Served.start({
      ctl: {
        storageUsage: () => ({
          engines: [{ index: 0, rank: 3, mount: "/mnt/daos", scmTotal: 8n, scmAvailable: 2n }],
        }),
        storageScan: () => ({
          nvme: {
            ctrlrs: [
              { pciaddr: "0000:81:00.0", healthstats: { temp: 310, percentused: 7, availsparewarn: true } },
            ],
          },
          scm: { state: { status: -3, error: "ndctl is missing" } },
        }),
      },
    });
    const page = await served.enter();
    const { host, port } = served.fake.host;
    const answer = await page.queryHost({ address: `${host}:${port}` });
    expect(answer.engines).toMatchObject([{ rank: 3, mount: "/mnt/daos", scmAvailable: 2n }]);
    expect(answer.controllers).toMatchObject([
      { address: "0000:81:00.0", celsius: 36.9, percentUsed: 7, warnings: ["spare capacity is low"] },
    ]);
    expect(answer.storageFaults.map(({ domain }) => domain)).toEqual(["scm"]);
    expect(answer.interfacesFault?.code).toBe(FaultCode.requestUnsupported);
  });

  it("queryHost() and queryConfig() return the server's description of itself", async () => {
    const key = { name: "port", value: "10002", defaultValue: "10001", description: "d", allowed: "a" };
    served = await Served.start({
      ctl: {
        serverQuery: ({ config }) => ({
          version: "1.2.3",
          pid: 7,
          started: 5n,
          engines: [{ index: 0, rank: 3, state: "serving", pid: 8, started: 6n, restarts: 2 }],
          configFile: "/etc/daos/daos_server.yml",
          config: config ? [key] : [],
        }),
      },
    });
    const page = await served.enter();
    const { host, port } = served.fake.host;
    const address = `${host}:${port}`;
    expect((await page.queryHost({ address })).server).toMatchObject({
      version: "1.2.3",
      pid: 7,
      started: 5n,
      engines: [{ index: 0, rank: 3, state: "serving", pid: 8, started: 6n, restarts: 2 }],
    });
    expect(await page.queryConfig({ address })).toMatchObject({
      file: "/etc/daos/daos_server.yml",
      keys: [key],
    });
  });

  it("queryConfig() fails with the fault of a host that cannot answer", async () => {
    served = await Served.start();
    const page = await served.enter();
    const { host, port } = served.fake.host;
    const fault = await faultOf(page.queryConfig({ address: `${host}:${port}` }));
    expect(fault.code).toBe(FaultCode.requestUnsupported);
  });

  it("queryCapacity() sums up the hosts that answer and counts the others", async () => {
    served = await Served.start({
      ctl: {
        systemMemberQuery: () => {
          const { host, port } = served?.fake.host ?? { host: "", port: 0 };
          return {
            members: [
              { rank: 0, addr: `${host}:${port}` },
              { rank: 1, addr: "127.0.0.1:1" },
            ],
          };
        },
        storageUsage: () => ({ engines: [{ scmTotal: 8n, scmAvailable: 2n, nvmeTotal: 16n }] }),
      },
    });
    const page = await served.enter();
    expect(await page.queryCapacity({})).toMatchObject({
      hostsAnswered: 1,
      hostsFailed: 1,
      scmTotal: 8n,
      scmAvailable: 2n,
      nvmeTotal: 16n,
      fault: { code: FaultCode.connectionRefused },
    });
  });
});

describe("WebServer.start()", () => {
  it("fails with a port that is in use, and without the files of the page", async () => {
    await using served = await Served.start();
    const { port } = new URL(served.origin);
    await expect(Served.start({}, { port: Number(port) })).rejects.toMatchObject({
      code: FaultCode.webPortUnusable,
    });
    await expect(Served.start({}, { files: "/nonexistent" })).rejects.toMatchObject({
      code: FaultCode.webPageMissing,
    });
  });
});
