// The good client of fuzz.ts, in a process of its own: what it measures is the server, not the attacker.
import { readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import { grpcCall } from "./grpc-call.ts";

const { plainPort, tlsPort, tls } = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as {
  plainPort: number;
  tlsPort: number;
  tls: object;
};

/** The time of the slower of two new connections with one call each, in plain text and with TLS. */
async function measure(): Promise<number> {
  const before = performance.now();
  const answers = await Promise.all([grpcCall(plainPort, undefined), grpcCall(tlsPort, tls)]);
  for (const { status, text } of answers) {
    if (status !== "0") throw new Error(`a good client got the status ${status}: ${text}`);
  }
  return performance.now() - before;
}

process.on("message", () => {
  measure().then(
    (ms) => process.send?.({ ms }),
    (error: unknown) => {
      process.stderr.write(`${String(error)}\n`);
      process.exit(1);
    },
  );
});
process.on("disconnect", () => process.exit());
process.send?.({});
