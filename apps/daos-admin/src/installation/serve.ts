import { spawn } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { faultInstall, faultNotRoot } from "./faults.ts";
import { layoutOf, SOCKET_PATH } from "./layout.ts";
import { readRecord } from "./uninstall.ts";

/**
 * Runs the listener of an installation in the foreground, for machines without systemd and for tests. Stopping this
 * process stops the listener.
 *
 * @throws Fault helperInstallFailed
 */
export async function serve(options: {
  readonly prefix: string;
  readonly socket: string | undefined;
}): Promise<number> {
  const { prefix, socket = SOCKET_PATH } = options;
  if (process.geteuid?.() !== 0) throw faultNotRoot("serve");
  const record = await readRecord(prefix);
  if (record === undefined || !record.shapes.includes("socket")) {
    throw faultInstall(
      "serve",
      `there is no service under ${prefix}`,
      `install it with "daos-admin install --prefix ${prefix} --shape socket"`,
    );
  }
  await mkdir(dirname(socket), { recursive: true, mode: 0o755 });
  const child = spawn(layoutOf(prefix).listener, [socket], {
    stdio: ["ignore", "inherit", "inherit"],
    env: {},
  });
  const stop = (signal: NodeJS.Signals) => child.kill(signal);
  process.on("SIGTERM", stop).on("SIGINT", stop);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve(signal === null ? (code ?? 1) : 0));
  });
}
