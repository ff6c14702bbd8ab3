// Logs the number of lines in argv, then waits for SIGTERM. On standard output: "flooded" with its memory in MiB.
import { writeSync } from "node:fs";
import { createLogger } from "@daos/log";
import { openLogSink } from "../open-log-sink.ts";

const [lines = "0", file] = process.argv.slice(2);
const { sink, close } = openLogSink({ file });
const log = createLogger(sink, { level: "DEBUG", component: "flood" });
const alive = setInterval(() => {}, 1_000);
process.once("SIGTERM", () => {
  log.info("stopping");
  clearInterval(alive);
  close();
});
for (let line = 0; line < Number(lines); line++) log.info("a line of the log", { line, of: lines });
writeSync(1, `flooded ${Math.round(process.memoryUsage().rss / 1024 ** 2)}\n`);
