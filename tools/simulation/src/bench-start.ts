import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:http2";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { delay } from "@daos/sys";
import { callOnce } from "./bench-calls.ts";
import type { Say } from "./bench-parts.ts";
import { bareNode, compareWithStated, median } from "./bench-ratios.ts";
import { cpuSeconds } from "./cpu-time.ts";

const PROGRAM = fileURLToPath(new URL("../../../apps/daos-server/bin/daos-server", import.meta.url));
const TEMPLATE = fileURLToPath(new URL("../../workspace/waiting-server.yml", import.meta.url));
const STARTS = 5;
const CALLS = 10_000;
const CONNECTIONS = 16;
/** From the first answer until the server is idle, ms. */
const IDLE_MS = 1_000;

/**
 * Prints what daos-server needs until it waits for its storage to be formatted, and the memory that it has then and after 10,000
 * calls, as ratios to a Node.js that does nothing. The storage is never formatted: nothing on this machine is changed.
 *
 * @returns false when a ratio exceeds the one in docs/performance.md
 */
export async function benchStart(say: Say): Promise<boolean> {
  const bare = bareNode();
  const runs: Started[] = [];
  for (let run = 0; run < STARTS; run++) runs.push(await startOnce(run === STARTS - 1));
  const last = runs.at(-1) as Started;
  say("| daos-server | bare Node.js | daos-server | measured | stated |");
  say("|---|---|---|---|---|");
  let good = true;
  const row = (name: string, base: number, value: number, unit: string, digits: number) => {
    const compared = compareWithStated(name, value / base);
    if (!compared.good) good = false;
    const shown = [base, value].map((one) => `${one.toFixed(digits)} ${unit}`).join(" | ");
    say(`| ${name} | ${shown} | ${(value / base).toFixed(2)} | ${compared.text} |`);
  };
  row("CPU from exec to serving", bare.cpuSeconds, median(runs.map((run) => run.cpuSeconds)), "s", 3);
  row("memory, idle", bare.peakMiB, median(runs.map((run) => run.idleMiB)), "MiB", 0);
  row("memory, after 10,000 calls", bare.peakMiB, last.loadedMiB, "MiB", 0);
  return good;
}

/** Unary calls that administrators, hosts and monitoring make to a server that waits. */
const MIXED = [
  "/mgmt.MgmtSvc/LeaderQuery",
  "/ctl.MgmtCtl/ServerVersion",
  "/mgmt.MgmtSvc/LeaderQuery",
  "/ctl.MgmtCtl/ServerQuery",
  "/grpc.health.v1.Health/Check",
  "/ctl.MgmtCtl/NetworkListProviders",
  "/mgmt.MgmtSvc/LeaderQuery",
  "/ctl.MgmtCtl/MsStatus",
];
const SOAK_SECONDS = 600;
/** The pause of a connection after each call: 400 calls a second of all. */
const PAUSE_MS = 40;
/** The server returns freed memory every 10 s. */
const RETURNED_MS = 12_000;

/**
 * Prints the memory of daos-server before, during and after ten minutes of mixed calls. Each of 16 connections makes one
 * call after another, and is replaced after 500.
 */
export async function soakStart(say: Say): Promise<void> {
  await withServer(async (pid, port) => {
    await delay(IDLE_MS);
    const rows: [string, number, number][] = [["before", 0, memoryMiB(pid)]];
    const end = performance.now() + SOAK_SECONDS * 1000;
    let calls = 0;
    let peak = 0;
    const watch = setInterval(() => {
      peak = Math.max(peak, memoryMiB(pid));
    }, 1000);
    const connection = async () => {
      while (performance.now() < end) {
        const session = connect(`http://127.0.0.1:${port}`);
        for (let call = 0; call < 500 && performance.now() < end; call++) {
          await callOnce(session, MIXED[calls++ % MIXED.length] ?? "");
          await delay(PAUSE_MS);
        }
        session.destroy();
      }
    };
    await Promise.all(Array.from({ length: CONNECTIONS }, connection));
    clearInterval(watch);
    rows.push(["peak of each second", calls, peak], ["at the end", calls, memoryMiB(pid)]);
    let waited = 0;
    for (const ms of [RETURNED_MS, 60_000]) {
      await delay(ms - waited);
      waited = ms;
      rows.push([`${ms / 1000} s later`, calls, memoryMiB(pid)]);
    }
    say("| ten minutes of mixed calls | calls | memory |");
    say("|---|---|---|");
    for (const [when, count, memory] of rows) say(`| ${when} | ${count} | ${memory.toFixed(0)} MiB |`);
  });
}

interface Started {
  readonly cpuSeconds: number;
  readonly idleMiB: number;
  /** NaN without calls. */
  readonly loadedMiB: number;
}

async function startOnce(withCalls: boolean): Promise<Started> {
  return withServer(async (pid, port) => {
    await delay(IDLE_MS);
    const [cpu, idleMiB] = [cpuSeconds(pid), memoryMiB(pid)];
    if (!withCalls) return { cpuSeconds: cpu, idleMiB, loadedMiB: Number.NaN };
    await callMany(port);
    await delay(RETURNED_MS);
    return { cpuSeconds: cpu, idleMiB, loadedMiB: memoryMiB(pid) };
  });
}

/** Starts a server that waits for its format, and stops it afterwards. */
async function withServer<T>(use: (pid: number, port: number) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), "daos-bench-"));
  const port = await freePort();
  const child = spawn(PROGRAM, ["start", "-i", "-o", configuration(directory, port)], {
    cwd: directory,
    env: { ...process.env, PATH: `${directory}:${process.env.PATH}` },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const exited = once(child, "exit");
  try {
    await listening(child.stderr);
    return await use(child.pid ?? 0, port);
  } finally {
    child.kill();
    await exited;
    rmSync(directory, { recursive: true });
  }
}

async function callMany(port: number): Promise<void> {
  const sessions = Array.from({ length: CONNECTIONS }, () => connect(`http://127.0.0.1:${port}`));
  let left = CALLS;
  await Promise.all(
    sessions.map(async (session) => {
      while (left-- > 0) await callOnce(session, "/mgmt.MgmtSvc/LeaderQuery");
    }),
  );
  for (const session of sessions) session.destroy();
}

/** Resolves when the server has said that it listens. @throws Error with all it has said when it ends before */
function listening(stderr: NodeJS.ReadableStream): Promise<void> {
  return new Promise((resolve, reject) => {
    let text = "";
    stderr.on("data", (chunk) => {
      text += String(chunk);
      if (text.includes("listening on")) resolve();
    });
    stderr.on("close", () => reject(new Error(`daos-server has not started: ${text}`)));
  });
}

function memoryMiB(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) / 1024;
}

async function freePort(): Promise<number> {
  const listener = createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as AddressInfo;
  listener.close();
  return port;
}

/** The files of a server whose engine is never started. @returns the configuration */
function configuration(directory: string, port: number): string {
  const path = join(directory, "daos_server.yml");
  mkdirSync(join(directory, "sockets"));
  writeFileSync(join(directory, "daos_io_server"), "#!/bin/sh\n", { mode: 0o755 });
  const text = readFileSync(TEMPLATE, "utf8");
  writeFileSync(path, text.replaceAll("PORT", `${port}`).replaceAll("DIRECTORY", directory));
  return path;
}
