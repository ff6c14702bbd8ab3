import { spawnSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { ProcessCommandRunner } from "@daos/sys";
import { describe, expect, it } from "vitest";
import { Program, run, WORKSPACE } from "../program.ts";
import { DMG, EVENTUAL_TIMEOUT_MS, freePort, TestSystem } from "../test-system.ts";

const SAMPLES = join(WORKSPACE, "docs/samples/monitoring");

interface Dashboard {
  readonly panels: readonly {
    readonly title: string;
    readonly targets: readonly { readonly expr: string }[];
  }[];
}

/** Runs promtool. It must find no error. */
async function promtool(...args: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await new ProcessCommandRunner().run(["promtool", ...args]);
  expect(exitCode, `${stdout}${stderr}`).toBe(0);
  return stdout;
}

function readMetrics(port: number, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const from = { host: "127.0.0.1", port, path: "/metrics", ca, servername: "server" };
    request(from, (response) => void text(response).then(resolve, reject))
      .on("error", reject)
      .end();
  });
}

describe("the samples for Prometheus", () => {
  it("are valid, and each alert fires only when it should", async () => {
    await promtool("check", "config", "--syntax-only", join(SAMPLES, "prometheus.yml"));
    await promtool("check", "rules", join(SAMPLES, "alerts.yml"));
    await promtool("test", "rules", join(SAMPLES, "alerts.test.yml"));
  });

  it("read a server over HTTPS with its CA's certificate, and every query of the dashboard works", async () => {
    await using stack = new AsyncDisposableStack();
    const telemetryPort = await freePort();
    const more = `telemetry_port: ${telemetryPort}\ntelemetry_address: 127.0.0.1\ntelemetry_tls: true`;
    const system = stack.use(await TestSystem.create({ secure: true, more }));
    await system.start();

    const page = await readMetrics(telemetryPort, await readFile(system.caCert, "utf8"));
    const lint = spawnSync("promtool", ["check", "metrics"], { input: page, encoding: "utf8" });
    expect(`${lint.stdout}${lint.stderr}`).toBe("");

    const config = join(system.directory, "prometheus.yml");
    const sample = await readFile(join(SAMPLES, "prometheus.yml"), "utf8");
    await writeFile(
      config,
      sample
        .replace("scrape_interval: 30s", "scrape_interval: 1s")
        .replace("- alerts.yml", `- ${join(SAMPLES, "alerts.yml")}`)
        .replace("/etc/daos/certs/daosCA.crt", system.caCert)
        .replace(/targets:.*/s, `targets: ["127.0.0.1:${telemetryPort}"]\n`),
    );
    const port = await freePort();
    const prometheus = new Program([
      "prometheus",
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(system.directory, "prometheus")}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ]);
    stack.defer(async () => {
      prometheus.child.kill("SIGTERM");
      await prometheus.end();
    });
    const query = async (expr: string): Promise<{ status: string; data: { result: readonly unknown[] } }> => {
      const url = `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(expr)}`;
      return (await (await fetch(url)).json()) as never;
    };
    const seen = () =>
      query("up == 1").then(
        ({ data }) => data.result.length,
        () => 0,
      );
    const slow = { timeout: EVENTUAL_TIMEOUT_MS, interval: 500 };
    await expect.poll(seen, slow).toBe(1);
    const admin = await system.clientConfig("admin");
    const { exitCode } = await run([DMG, "-o", admin, "system", "query"], { cwd: system.directory });
    expect(exitCode).toBe(0);

    const dashboard = JSON.parse(
      await readFile(join(SAMPLES, "grafana-dashboard.json"), "utf8"),
    ) as Dashboard;
    // A machine without NVMe has no controller metrics, and no call has failed.
    const empty = /NVMe|fail/;
    for (const { title, targets } of dashboard.panels) {
      for (const { expr } of targets) {
        const { status } = await query(expr.replaceAll("$job", ".*"));
        expect(status, `${title}: ${expr}`).toBe("success");
        if (empty.test(title)) continue;
        const samples = async () => (await query(expr.replaceAll("$job", ".*"))).data.result.length;
        await expect.poll(samples, { ...slow, message: `${title}: ${expr}` }).toBeGreaterThan(0);
      }
    }
  });
});
