import { strict as assert } from "node:assert";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import type { CommandResult } from "@daos/sys";
import { runner, until } from "./tools.ts";

/** A program of the workspace. */
export const app = (name: string) =>
  fileURLToPath(new URL(`../../../../apps/${name}/bin/${name}`, import.meta.url));
export const PORT = 20001;
const SOCKETS = "/run/daos_sockets";
/** Under emulation Node.js takes seconds to start, more on a busy host, and an engine starts several processes. */
export const WAIT_TIMEOUT_MS = 300_000;

/** Runs dmg against the server in this machine. It may fail. */
export function runDmg(...args: readonly string[]): Promise<CommandResult> {
  const argv = [app("dmg"), "--json", "-i", "-l", `localhost:${PORT}`, ...args] as const;
  return runner.run(argv, { timeoutMs: WAIT_TIMEOUT_MS });
}

/** Runs dmg, which must succeed. Returns its result. */
export async function dmg<T>(...args: readonly string[]): Promise<T> {
  const { exitCode, stdout, stderr } = await runDmg(...args);
  assert.equal(exitCode, 0, `dmg ${args.join(" ")}: ${stderr}${stdout}`);
  return (JSON.parse(stdout) as { readonly result: T }).result;
}

/** Runs dmg, which must fail with one fault of this code. Returns its text. */
export async function dmgFault(code: number, ...args: readonly string[]): Promise<string> {
  const { exitCode, stdout } = await runDmg(...args);
  assert.notEqual(exitCode, 0, `dmg ${args.join(" ")}: ${stdout}`);
  const { errors } = JSON.parse(stdout) as {
    readonly errors: readonly { code: number; description: string; reason: string | null }[];
  };
  const [first] = errors;
  assert.equal(first?.code, code, stdout);
  return `${first.description}: ${first.reason}`;
}

export interface EngineUnderTest {
  readonly device: string;
  readonly address: string;
  readonly node: number;
}

/** The section of an engine with SCM on a namespace. */
export function onPmem({ device, address, node }: EngineUnderTest, index: number): string {
  return engineSection(
    index,
    node,
    address,
    `scm_mount: /mnt/engine${index}
  scm_class: dcpm
  scm_list: [${device}]`,
  );
}

/** @param scm the lines about SCM */
export function engineSection(index: number, node: number, address: string, scm: string): string {
  return `- targets: 1
  nr_xs_helpers: 0
  first_core: 0
  pinned_numa_node: ${node}
  fabric_iface: eth${node}
  fabric_iface_port: ${31_416 + 1000 * index}
  log_mask: ERR
  ${scm}
  bdev_class: nvme
  bdev_list: ["${address}"]
`;
}

/** Writes the configuration of a server with these engines. */
export async function configure(path: string, sections: readonly string[], more = ""): Promise<void> {
  const head = `name: daos_server
access_points: ["localhost:${PORT}"]
port: ${PORT}
provider: ofi+sockets
socket_dir: ${SOCKETS}
allow_insecure_devices: true
transport_config:
  allow_insecure: true
${more}servers:
`;
  await mkdir(SOCKETS, { recursive: true });
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, head + sections.join(""));
}

export { SOCKETS };

/** A daos-server with emulated engines. `serving` is set when every engine serves. */
export class Server {
  serving = false;
  output = "";
  readonly child: ChildProcess;

  /** @param through a command that runs it, such as setpriv */
  constructor(config: string, through: readonly string[] = [], ...args: readonly string[]) {
    const start = [app("daos-server"), "start", "-o", config, "--engine", "emulated"];
    const [command = "", ...rest] = [
      ...through,
      ...start,
      "--engine-ready-timeout",
      `${WAIT_TIMEOUT_MS / 1000}`,
      ...args,
    ];
    this.child = spawn(command, rest, {
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      env: { ...process.env, NO_COLOR: "1" },
    });
    this.child.on("message", () => {
      this.serving = true;
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.output += text;
      });
    }
  }

  /** Waits until the server logs that its storage needs a format. */
  async awaitingFormat(): Promise<void> {
    await until(
      "a server that waits for its storage",
      async () => {
        assert.equal(this.child.exitCode, null, this.output);
        return this.output.includes("storage format");
      },
      WAIT_TIMEOUT_MS,
    );
  }

  async stop(): Promise<number | null> {
    this.child.kill("SIGTERM");
    return this.ended();
  }

  async ended(): Promise<number | null> {
    await until("the end of the server", async () => this.child.exitCode !== null, WAIT_TIMEOUT_MS);
    return this.child.exitCode;
  }
}
