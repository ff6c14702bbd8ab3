import { fileURLToPath } from "node:url";
import { dmg } from "./dmg.ts";

const abort = new AbortController();
process.on("SIGINT", () => {
  // A second Ctrl-C does not wait for the servers.
  if (abort.signal.aborted) process.exit(130);
  abort.abort(new DOMException("interrupted", "AbortError"));
});

process.exitCode = await dmg(
  process.argv.slice(2),
  {
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
    columns: process.stdout.isTTY ? process.stdout.columns : Number.POSITIVE_INFINITY,
    interactive: process.stderr.isTTY === true,
    signal: abort.signal,
  },
  fileURLToPath(new URL("..", import.meta.url)),
);
