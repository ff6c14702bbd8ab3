import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect } from "node:http2";
import { join } from "node:path";
import { createSecureContext } from "node:tls";

export const SCANNED_HOSTS = 1024;
/** The number of concurrent connections. */
const AT_ONCE = 32;

/** Each host has its own address in the loopback network. */
export const addressOf = (index: number): string =>
  `127.1.${Math.floor((index + 1) / 256)}.${(index + 1) % 256}`;

/** A minimal client: one handshake and one call for each host. */
export async function runPlainScan(port: number, directory: string): Promise<void> {
  const file = (name: string) => readFileSync(join(directory, name), "utf8");
  const tls =
    directory === ""
      ? {}
      : {
          secureContext: createSecureContext({
            ca: file("admin-ca.crt"),
            cert: file("admin.crt"),
            key: file("admin.key"),
          }),
          servername: "server",
          checkServerIdentity: () => undefined,
        };
  let next = 0;
  const work = async () => {
    while (next < SCANNED_HOSTS) {
      const scheme = directory === "" ? "http" : "https";
      const session = connect(`${scheme}://${addressOf(next++)}:${port}`, tls);
      session.on("error", () => {});
      const stream = session.request({
        ":method": "POST",
        ":path": "/ctl.MgmtCtl/StorageScan",
        "content-type": "application/grpc",
        te: "trailers",
      });
      stream.on("error", () => {}).resume();
      stream.end(Buffer.alloc(5));
      await once(stream, "close");
      session.destroy();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}
