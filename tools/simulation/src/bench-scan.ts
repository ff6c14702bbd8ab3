import { spawn } from "node:child_process";
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer as createHttp2Server, createSecureServer } from "node:http2";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { loadavg } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { create, toBinary } from "@bufbuild/protobuf";
import { ctl } from "@daos/proto";
import { TestAuthority, TestCertificateFiles } from "@daos/security/testing";
import { BENCH, type Say, startPart } from "./bench-parts.ts";
import { addressOf, SCANNED_HOSTS } from "./bench-plain-scan.ts";
import { bareNode, compareWithStated } from "./bench-ratios.ts";
import { childCpuSeconds } from "./cpu-time.ts";

/** One host in twenty accepts connections, but never answers. */
const SILENT_EVERY = 20;
/** The time limit of dmg for an answer on a new connection, s. */
const CONNECT_LIMIT_S = 3;

/** The message of the hosts' process. */
export interface FromScanHosts {
  readonly port: number;
}

/** An empty answer to a scan, with its prefix. */
function answer(): Buffer {
  const bytes = toBinary(ctl.StorageScanRespSchema, create(ctl.StorageScanRespSchema, {}));
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([prefix, bytes]);
}

/**
 * Many hosts in one process, one for each address of the loopback network. They answer a scan at once.
 *
 * @param directory of the certificates; empty for plain text
 * @param silent "silent" to let one host in twenty accept connections only
 */
export async function runScanHosts(directory: string, silent: string): Promise<void> {
  process.on("SIGTERM", () => process.exit(0));
  const file = (name: string) => readFileSync(join(directory, name), "utf8");
  const server =
    directory === ""
      ? createHttp2Server()
      : createSecureServer({
          ca: file("ca.crt"),
          cert: file("server.crt"),
          key: file("server.key"),
          requestCert: true,
        });
  const body = answer();
  server.on("stream", (stream) => {
    stream.on("error", () => {}).resume();
    stream.once("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.respond({ ":status": 200, "content-type": "application/grpc+proto" }, { waitForTrailers: true });
    stream.end(body);
  });
  server.on("sessionError", () => {});
  const listener = createServer((socket: Socket) => {
    socket.on("error", () => {});
    const [, , c = 0, d = 0] = (socket.localAddress ?? "").split(".").map(Number);
    if (silent === "silent" && (c * 256 + d) % SILENT_EVERY === 0) return;
    server.emit("connection", socket);
  });
  listener.listen({ port: 0, host: "0.0.0.0", backlog: 2 * SCANNED_HOSTS });
  await once(listener, "listening");
  process.send?.({ port: (listener.address() as AddressInfo).port } satisfies FromScanHosts);
}

/** The certificates of hosts and administrator: RSA with 3,072 bits. */
function scanCertificates(): { readonly files: TestCertificateFiles; readonly config: string } {
  const keys = (): { publicKey: KeyObject; privateKey: KeyObject } =>
    generateKeyPairSync("rsa", { modulusLength: 3072 });
  const authority = new TestAuthority({ keys: keys() });
  const files = new TestCertificateFiles();
  const server = authority.issue("server", { keys: keys() });
  const admin = authority.issue("admin", { keys: keys() });
  files.write("ca.crt", authority.pem);
  files.write("server.crt", server.certPem);
  files.write("server.key", server.keyPem, 0o400);
  const { caCert, cert, key } = files.transport("admin", authority.pem, admin);
  const config = join(files.directory, "daos.yml");
  writeFileSync(
    config,
    `transport_config:\n  allow_insecure: false\n  ca_cert: ${caCert}\n  cert: ${cert}\n  key: ${key}\n`,
  );
  return { files, config };
}

/** The cost of a program run. */
interface Scanned {
  readonly cpuSeconds: number;
  readonly seconds: number;
  readonly peakMiB: number;
  readonly exitCode: number;
}

const DMG = fileURLToPath(new URL("../../../apps/dmg/bin/dmg", import.meta.url));

/** Runs `dmg storage scan` on all hosts. @param config the configuration with certificates; undefined for plain text */
function scanWithDmg(port: number, config: string | undefined): Promise<Scanned> {
  const hosts = Array.from({ length: SCANNED_HOSTS }, (_, index) => `${addressOf(index)}:${port}`).join(",");
  const transport = config === undefined ? ["-i"] : ["-o", config];
  return measure(DMG, [...transport, "-l", hosts, "storage", "scan"]);
}

/** Runs a program, and measures its peak memory. */
async function measure(program: string, args: readonly string[]): Promise<Scanned> {
  const cpuBefore = childCpuSeconds();
  const begun = performance.now();
  const child = spawn(program, args, { stdio: "ignore" });
  let peakKiB = 0;
  const look = setInterval(() => {
    try {
      const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
      peakKiB = Math.max(peakKiB, Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? 0));
    } catch {}
  }, 20);
  const [exitCode] = (await once(child, "close")) as [number];
  clearInterval(look);
  return {
    cpuSeconds: childCpuSeconds() - cpuBefore,
    seconds: (performance.now() - begun) / 1000,
    peakMiB: Math.round(peakKiB / 1024),
    exitCode,
  };
}

/**
 * Compares the cost of `dmg storage scan` on many hosts with that of a hand-written client.
 *
 * @returns false when a ratio exceeds the stated one
 */
export async function benchScan(say: Say): Promise<boolean> {
  const { files, config } = scanCertificates();
  using _files = files;
  const bare = bareNode();
  const load = loadavg().map((value) => value.toFixed(1));
  say(`dmg storage scan of ${SCANNED_HOSTS} hosts in one process; load ${load.join(" ")}`);
  say(
    `bare Node.js: ${(bare.cpuSeconds * 1000).toFixed(0)} ms of CPU, ${Math.round(bare.peakMiB)} MiB of memory\n`,
  );
  say("| scan | hand-written | dmg | exit code | measured | stated |");
  say("|---|---|---|---|---|---|");
  let good = true;
  const row = (name: string, base: string, ours: string, exitCode: number, ratio: number) => {
    const comparison = compareWithStated(name, ratio);
    if (!comparison.good) good = false;
    say(`| ${name} | ${base} | ${ours} | ${exitCode} | ${ratio.toFixed(2)} | ${comparison.text} |`);
  };
  for (const [name, directory] of [
    ["plain text", ""],
    ["mTLS, RSA 3072", files.directory],
  ] as const) {
    using hosts = await startPart<FromScanHosts>("scan-hosts", directory);
    const { port } = hosts.ready;
    const dmg = await scanWithDmg(port, directory === "" ? undefined : config);
    const plain = await measure(process.execPath, [BENCH, "plain-scan", `${port}`, directory]);
    const seconds = ({ cpuSeconds }: Scanned) => `${cpuSeconds.toFixed(2)} s of CPU`;
    // An unreached host counts as missed, whatever the cost of the others.
    const cost = dmg.exitCode === 0 ? dmg.cpuSeconds / plain.cpuSeconds : Number.NaN;
    row(`scan, ${name}`, seconds(plain), seconds(dmg), dmg.exitCode, cost);
    const memory = `scan, ${name}, memory to bare Node.js`;
    row(memory, `${plain.peakMiB} MiB`, `${dmg.peakMiB} MiB`, dmg.exitCode, dmg.peakMiB / bare.peakMiB);
  }
  using hosts = await startPart<FromScanHosts>("scan-hosts", "", "silent");
  const silent = await scanWithDmg(hosts.ready.port, undefined);
  const limits = silent.seconds / CONNECT_LIMIT_S;
  row("scan, 51 silent hosts, time to 3 s", "", `${silent.seconds.toFixed(1)} s`, silent.exitCode, limits);
  return good;
}
