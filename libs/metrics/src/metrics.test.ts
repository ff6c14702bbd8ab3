import { once } from "node:events";
import { connect } from "node:net";
import { Code, ConnectError, createClient, createRouterTransport } from "@connectrpc/connect";
import { FaultCode } from "@daos/fault";
import { silentLogger } from "@daos/log";
import { ctl } from "@daos/proto";
import { afterEach, describe, expect, it } from "vitest";
import { listenMetrics, type MetricsListener, type MetricsListenOptions } from "./listen-metrics.ts";
import { Metrics } from "./metrics.ts";

const open: MetricsListener[] = [];
afterEach(async () => {
  for (const listener of open.splice(0)) await listener.close();
});

const local = { host: "127.0.0.1", port: 0, readiness: () => [], log: silentLogger };

async function serve(
  metrics: Pick<Metrics, "render" | "contentType">,
  more: Partial<MetricsListenOptions> = {},
): Promise<MetricsListener> {
  const listener = await listenMetrics({ ...local, metrics, ...more });
  open.push(listener);
  return listener;
}

/** The lines of one metric. */
async function lines(metrics: Metrics, name: string): Promise<string[]> {
  const text = await metrics.render();
  return text.split("\n").filter((line) => line.startsWith(name));
}

describe("Metrics.render()", () => {
  it("reads the expiry of certificates", async () => {
    let notAfter = new Date("2027-01-01T00:00:00Z");
    const metrics = new Metrics({
      certificates: async () => [
        { path: "/etc/daos/ca.crt", kind: "ca", notAfter, usable: true },
        { path: "/etc/daos/gone.crt", kind: "unknown", notAfter: undefined, usable: false },
      ],
    });
    const name = "daos_certificate_expiry_timestamp_seconds{";
    // The first scrape has all of them.
    expect(await lines(metrics, "daos_certificate_usable{")).toHaveLength(2);
    expect(await lines(metrics, name)).toEqual([`${name}path="/etc/daos/ca.crt",kind="ca"} 1798761600`]);
    notAfter = new Date("2028-01-01T00:00:00Z");
    expect(await lines(metrics, name)).toEqual([`${name}path="/etc/daos/ca.crt",kind="ca"} 1830297600`]);
    expect(await lines(metrics, "daos_certificate_usable{")).toEqual([
      'daos_certificate_usable{path="/etc/daos/ca.crt",kind="ca"} 1',
      'daos_certificate_usable{path="/etc/daos/gone.crt",kind="unknown"} 0',
    ]);
  });

  it("shows the certificate that expires first when a file has several, wherever it stands", async () => {
    const of = (year: number, usable: boolean) => ({
      path: "/etc/daos/ca.crt",
      kind: "ca",
      notAfter: new Date(`${year}-01-01T00:00:00Z`),
      usable,
    });
    const name = "daos_certificate_expiry_timestamp_seconds{";
    for (const certificates of [
      [of(2025, false), of(2035, true)],
      [of(2035, true), of(2025, false)],
    ]) {
      const metrics = new Metrics({ certificates: async () => certificates });
      expect(await lines(metrics, name)).toEqual([`${name}path="/etc/daos/ca.crt",kind="ca"} 1735689600`]);
      expect(await lines(metrics, "daos_certificate_usable{")).toEqual([
        'daos_certificate_usable{path="/etc/daos/ca.crt",kind="ca"} 0',
      ]);
    }
  });

  it("reads the current states of engines and members", async () => {
    let state = "starting";
    let states: ReadonlyMap<string, number> | undefined = new Map([
      ["joined", 7],
      ["errored", 1],
    ]);
    const metrics = new Metrics({
      engines: () => [
        { index: 0, rank: 3, state, restarts: 2 },
        { index: 1, rank: undefined, state: "awaiting format" },
      ],
      members: () => states,
    });
    expect(await lines(metrics, "daos_members{")).toHaveLength(2);
    state = "serving";
    expect(await lines(metrics, "daos_engine_")).toEqual([
      'daos_engine_restarts{index="0"} 2',
      'daos_engine_state{index="0",rank="3",state="serving"} 1',
      'daos_engine_state{index="1",rank="",state="awaiting format"} 1',
    ]);
    expect(await lines(metrics, "daos_members{")).toEqual([
      'daos_members{state="joined"} 7',
      'daos_members{state="errored"} 1',
    ]);
    expect(await lines(metrics, "daos_leader")).toEqual(["daos_leader 1"]);
    states = undefined;
    expect(await lines(metrics, "daos_leader")).toEqual(["daos_leader 0"]);
    expect(await lines(metrics, "daos_members{")).toEqual([]);
  });

  it("reads the space of SCM and the health of controllers", async () => {
    const nvme = {
      address: "0000:81:00.0",
      serial: "S1",
      temperatureCelsius: 41,
      percentUsed: 120,
      mediaErrors: 3,
      warnings: new Map([
        ["spare", true],
        ["volatile", false],
      ]),
      readAt: new Date("2027-01-01T00:00:00Z"),
    };
    let controllers = [nvme];
    const metrics = new Metrics({
      version: "1.2.3",
      scm: async () => [{ index: 1, size: 2048, free: 512 }],
      nvme: () => controllers,
    });
    const of = 'address="0000:81:00.0",serial="S1"';
    expect((await lines(metrics, "daos_nvme_")).sort()).toEqual([
      `daos_nvme_media_errors{${of}} 3`,
      `daos_nvme_read_timestamp_seconds{${of}} 1798761600`,
      `daos_nvme_temperature_celsius{${of}} 41`,
      `daos_nvme_used_ratio{${of}} 1.2`,
      `daos_nvme_warning{${of},warning="spare"} 1`,
      `daos_nvme_warning{${of},warning="volatile"} 0`,
    ]);
    expect(await lines(metrics, "daos_scm_")).toEqual([
      'daos_scm_size_bytes{index="1"} 2048',
      'daos_scm_free_bytes{index="1"} 512',
    ]);
    expect(await lines(metrics, "daos_build_info")).toEqual([
      `daos_build_info{version="1.2.3",node="${process.version}"} 1`,
    ]);
    controllers = [];
    expect(await lines(metrics, "daos_nvme_")).toEqual([]);
  });

  it("has no metrics for absent sources, and metrics of the process", async () => {
    const metrics = new Metrics();
    expect(await lines(metrics, "daos_engine_state{")).toEqual([]);
    expect(await lines(metrics, "daos_server_process_resident_memory_bytes")).toHaveLength(1);
  });
});

describe("Metrics.interceptor", () => {
  const serviceOf = (metrics: Metrics) => {
    const transport = createRouterTransport(
      (router) =>
        router.service(ctl.MgmtCtl, {
          storageScan: () => ({}),
          networkListProviders: () => {
            throw new ConnectError("no", Code.FailedPrecondition);
          },
          async *networkScanDevices({ provider }) {
            yield { provider: "a" };
            if (provider === "fail") throw new ConnectError("no", Code.NotFound);
            yield { provider: "b" };
          },
        }),
      { router: { interceptors: [metrics.interceptor] } },
    );
    return createClient(ctl.MgmtCtl, transport);
  };

  it("counts calls by method and code, and times them", async () => {
    const metrics = new Metrics();
    const service = serviceOf(metrics);
    await service.storageScan({});
    await service.storageScan({});
    await expect(service.networkListProviders({})).rejects.toThrow();
    expect(await Array.fromAsync(service.networkScanDevices({}))).toHaveLength(2);
    await expect(Array.fromAsync(service.networkScanDevices({ provider: "fail" }))).rejects.toThrow();
    expect((await lines(metrics, "daos_rpc_handled_total{")).sort()).toEqual([
      'daos_rpc_handled_total{method="ctl.MgmtCtl/NetworkListProviders",code="FAILED_PRECONDITION"} 1',
      'daos_rpc_handled_total{method="ctl.MgmtCtl/NetworkScanDevices",code="NOT_FOUND"} 1',
      'daos_rpc_handled_total{method="ctl.MgmtCtl/NetworkScanDevices",code="OK"} 1',
      'daos_rpc_handled_total{method="ctl.MgmtCtl/StorageScan",code="OK"} 2',
    ]);
    expect(await lines(metrics, "daos_rpc_duration_seconds_count{")).toContain(
      'daos_rpc_duration_seconds_count{method="ctl.MgmtCtl/StorageScan"} 2',
    );
  });
});

describe("listenMetrics()", () => {
  it("answers GET /metrics and nothing else", async () => {
    const { port } = await serve(new Metrics());
    const get = (path: string, method = "GET") => fetch(`http://127.0.0.1:${port}${path}`, { method });
    const good = await get("/metrics");
    expect(good.status).toBe(200);
    expect(good.headers.get("content-type")).toContain("version=0.0.4");
    expect(await good.text()).toContain("# TYPE daos_rpc_handled_total counter");
    expect((await get("/")).status).toBe(404);
    expect((await get("/metrics", "POST")).status).toBe(405);
    expect(await (await get("/metrics", "HEAD")).text()).toBe("");
  });

  it("answers /healthz always, and /readyz with the missing parts", async () => {
    let reason: string | undefined = "awaiting format";
    const readiness = () => [{ name: "leader" }, { name: "engine 0", reason }];
    const { port } = await serve(new Metrics(), { readiness });
    const get = async (path: string) => {
      const response = await fetch(`http://127.0.0.1:${port}${path}`);
      return [response.status, await response.text()];
    };
    expect(await get("/healthz")).toEqual([200, "ok\n"]);
    expect(await get("/readyz")).toEqual([
      503,
      "[+]leader ok\n[-]engine 0 failed: awaiting format\nnot ready\n",
    ]);
    reason = undefined;
    expect(await get("/readyz?verbose")).toEqual([200, "[+]leader ok\n[+]engine 0 ok\nready\n"]);
    expect(await get("/constructor")).toEqual([404, "there are /metrics, /healthz, /readyz\n"]);
  });

  it("stays up when a metric cannot be read", async () => {
    let fails = true;
    const metrics = new Metrics({
      certificates: async () => {
        if (fails) throw new Error("gone");
        return [];
      },
    });
    const { port } = await serve(metrics);
    expect((await fetch(`http://127.0.0.1:${port}/metrics`)).status).toBe(500);
    fails = false;
    expect((await fetch(`http://127.0.0.1:${port}/metrics`)).status).toBe(200);
  });

  it("fails with a fault when its port is taken", async () => {
    const { port } = await serve(new Metrics());
    const again = listenMetrics({ ...local, metrics: new Metrics(), port });
    await expect(again).rejects.toMatchObject({
      code: FaultCode.listenAddressBusy,
      resolution: expect.stringContaining("telemetry_port"),
    });
  });

  it("answers while idle connections have all its places", async () => {
    const { port } = await serve(new Metrics());
    const silent = Array.from({ length: 40 }, () => connect(port, "127.0.0.1").on("error", () => {}));
    await Promise.all(silent.map((socket) => once(socket, "connect")));
    try {
      const begun = performance.now();
      expect((await fetch(`http://127.0.0.1:${port}/metrics`)).status).toBe(200);
      expect(performance.now() - begun).toBeLessThan(5_000);
    } finally {
      for (const socket of silent) socket.destroy();
    }
  });

  it("closes while a client holds a connection open", async () => {
    const listener = await listenMetrics({ ...local, metrics: new Metrics() });
    const socket = connect(listener.port, "127.0.0.1").on("error", () => {});
    const closed = new Promise((resolve) => socket.once("close", resolve));
    await once(socket, "connect");
    socket.write("GET /metr");
    await listener.close();
    await closed;
  });
});
